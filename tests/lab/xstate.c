/*
 * Lets the User-Mode Linux of Debian 12 (Linux 6.1) boot on processors with AMX.
 *
 * UML keeps the floating-point state of its processes in a buffer of 2696 bytes, enough for AVX-512, and sets it with
 * ptrace(PTRACE_SETREGSET, NT_X86_XSTATE). Linux takes a state only in its full size, which with the tiles of AMX is
 * 11008 bytes, and answers EFAULT; UML then panics ("ptrace set fp regs failed, errno = 14"). Reading is no trouble:
 * Linux cuts the state down to the buffer.
 *
 * This library, preloaded into linux.uml, lengthens what is set with zeros: the header's bit mask (XSTATE_BV), which
 * is in the part that is given, says that the components behind are in their initial state.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static _Alignas(64) char whole[65536];
static size_t size; /* of the state on this machine, once known */

static int lengthen(pid_t process, struct iovec *state)
{
	if (!size) {
		struct iovec all = { whole, sizeof whole };
		if (syscall(SYS_ptrace, PTRACE_GETREGSET, process, NT_X86_XSTATE, &all) < 0)
			return -1;
		size = all.iov_len;
	}
	if (state->iov_len < size) {
		memcpy(whole, state->iov_base, state->iov_len);
		memset(whole + state->iov_len, 0, size - state->iov_len);
		*state = (struct iovec){ whole, size };
	}
	return 0;
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	pid_t process = va_arg(arguments, pid_t);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);

	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE) {
		struct iovec state = *(struct iovec *)data;
		if (lengthen(process, &state) < 0)
			return -1;
		return syscall(SYS_ptrace, request, process, address, &state);
	}
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
		/* The system call stores the word where `data` points; the C library's function returns it. */
		long word;
		if (syscall(SYS_ptrace, request, process, address, &word) < 0)
			return -1;
		errno = 0;
		return word;
	}
	return syscall(SYS_ptrace, request, process, address, data);
}
