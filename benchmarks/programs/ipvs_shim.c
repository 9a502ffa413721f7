/* ipvs_shim: lets keepalived check servers on a kernel without IPVS, so that what its checks cost can be measured.
 *
 *     LD_PRELOAD=ipvs_shim.so keepalived -C -n -f FILE
 *
 * It stands between keepalived and libnl (https://www.infradead.org/~tgr/libnl/doc/api/): the generic netlink family
 * "IPVS" is said to exist, and whatever is sent to it is acknowledged without reaching a kernel. All other netlink
 * traffic passes. keepalived learns of an acknowledgement by a flag that it gave to libnl as the argument of its
 * callbacks; the shim remembers where that flag is and sets it itself. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/netlink.h>
#include <string.h>

enum { INVENTED_FAMILY = 0x7d, NL_CB_CUSTOM = 3 };

struct nl_sock;
struct nl_msg;
struct nlmsghdr *nlmsg_hdr(struct nl_msg *);

static int *acknowledged;
static int unanswered;

static void *library(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

int genl_ctrl_resolve(struct nl_sock *sock, const char *family)
{
	int (*next)(struct nl_sock *, const char *) = library("genl_ctrl_resolve");
	return strcmp(family, "IPVS") == 0 ? INVENTED_FAMILY : next(sock, family);
}

int nl_socket_modify_err_cb(struct nl_sock *sock, int kind, void *callback, void *argument)
{
	int (*next)(struct nl_sock *, int, void *, void *) = library("nl_socket_modify_err_cb");
	if (kind == NL_CB_CUSTOM && argument)
		acknowledged = argument;
	return next(sock, kind, callback, argument);
}

int nl_send_auto(struct nl_sock *sock, struct nl_msg *message)
{
	int (*next)(struct nl_sock *, struct nl_msg *) = library("nl_send_auto");
	if (nlmsg_hdr(message)->nlmsg_type != INVENTED_FAMILY)
		return next(sock, message);
	unanswered = 1;
	return (int)nlmsg_hdr(message)->nlmsg_len;
}

int nl_recvmsgs_default(struct nl_sock *sock)
{
	int (*next)(struct nl_sock *) = library("nl_recvmsgs_default");
	if (!unanswered)
		return next(sock);
	unanswered = 0;
	if (acknowledged)
		*acknowledged = 1;
	return 0;
}
