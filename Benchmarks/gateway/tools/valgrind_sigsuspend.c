// valgrind_sigsuspend.c - preloaded when the gateway runs under valgrind: older versions write into the mask that
// sigsuspend(2) is given, and die because libdispatch's is in read-only memory. This gives them a copy.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return syscall(SYS_rt_sigsuspend, &copy, _NSIG / 8);
}
