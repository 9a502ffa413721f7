/* target KIND PORT LOG: a server for benchmarks, on every local address at once, that logs who was asked when.
 *
 * KIND is what it answers: "tcp" nothing (the connection is closed at once), "http" a page to every request, "dialog"
 * "+PONG" to every line, "dns" one address record to every query (UDP). For each connection or query a record of 16
 * bytes is appended to LOG: CLOCK_MONOTONIC in nanoseconds (uint64), the IPv4 address asked (network order), zero.
 * It runs until it is killed; one process, one epoll, so that what it costs stays small beside what asks. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define HTTP_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nOK healthy\n"

struct record { uint64_t nanoseconds; uint32_t address, zero; };

static struct record waiting[8192];
static size_t count;
static int log_file;

static void flush(void)
{
	if (count && write(log_file, waiting, count * sizeof *waiting) < 0)
		err(1, "log");
	count = 0;
}

static void note(struct in_addr asked)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	waiting[count++] = (struct record){now.tv_sec * 1000000000ull + now.tv_nsec, asked.s_addr, 0};
	if (count == sizeof waiting / sizeof *waiting)
		flush();
}

static void accept_all(int listener, int poll, int answers)
{
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct sockaddr_in own = {0};
		getsockname(fd, (struct sockaddr *)&own, &(socklen_t){sizeof own});
		note(own.sin_addr);
		if (!answers || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd}))
			close(fd);
	}
}

static void answer_stream(int fd, const char *answer, int once)
{
	char request[4096];
	ssize_t got = read(fd, request, sizeof request);
	if (got <= 0 || write(fd, answer, strlen(answer)) < 0 || once)
		close(fd);
}

/* The query comes back as its own answer: one A record whose name points to the question (RFC 1035, 4.1). */
static void answer_datagrams(int fd)
{
	static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 2, 0, 99};
	unsigned char query[512 + sizeof record], control[128];
	struct sockaddr_in peer;
	for (;;) {
		struct iovec part = {query, 512};
		struct msghdr message = {&peer, sizeof peer, &part, 1, control, sizeof control, 0};
		ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
		if (got < 0)
			return;
		struct in_pktinfo *to = (struct in_pktinfo *)CMSG_DATA(CMSG_FIRSTHDR(&message));
		note(to->ipi_addr);
		ssize_t end = 12;
		while (end < got && query[end])
			end += query[end] + 1;
		end += 5;
		if (end > got)
			continue;
		memcpy(query + 2, (unsigned char[]){0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0}, 10);
		memcpy(query + end, record, sizeof record);
		part.iov_len = end + sizeof record;
		to->ipi_ifindex = 0;
		to->ipi_spec_dst = to->ipi_addr;
		sendmsg(fd, &message, MSG_DONTWAIT);
	}
}

static int open_port(int type, int port)
{
	int on = 1, buffer = 8 << 20, fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in all = {.sin_family = AF_INET, .sin_port = htons(port)};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&all, sizeof all))
		err(1, "port %d", port);
	if (type == SOCK_STREAM)
		return listen(fd, 16384) ? -1 : fd;
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(64, "usage: target tcp|http|dialog|dns PORT LOG");
	int dns = !strcmp(argv[1], "dns"), http = !strcmp(argv[1], "http"), tcp = !strcmp(argv[1], "tcp");
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if ((log_file = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) < 0)
		err(1, "%s", argv[3]);
	int listener = open_port(dns ? SOCK_DGRAM : SOCK_STREAM, atoi(argv[2])), poll = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
	struct epoll_event events[EVENTS];
	for (;;) {
		int ready = epoll_wait(poll, events, EVENTS, -1);
		for (int i = 0; i < ready; i++) {
			int fd = events[i].data.fd;
			if (fd != listener)
				answer_stream(fd, http ? HTTP_ANSWER : "+PONG\r\n", http);
			else if (dns)
				answer_datagrams(fd);
			else
				accept_all(fd, poll, !tcp);
		}
		flush();
	}
}
