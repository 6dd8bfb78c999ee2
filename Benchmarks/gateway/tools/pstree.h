// CPU and memory of a process and all its descendants, from /proc.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef struct {
    double cpu, user, sys;
    long rss_kb;
    int procs, threads;
} pstat_t;
static pstat_t pstat_tree(const int *roots, int nroots) {
    static int pid[65536], ppid[65536];
    static double u[65536], s[65536];
    static int th[65536];
    int n = 0;
    DIR *d = opendir("/proc");
    struct dirent *e;
    pstat_t r = {0};
    double hz = sysconf(_SC_CLK_TCK);
    while (d && (e = readdir(d)) && n < 65536) {
        int p = atoi(e->d_name);
        if (p <= 0)
            continue;
        char f[64], b[1024];
        snprintf(f, sizeof f, "/proc/%d/stat", p);
        FILE *x = fopen(f, "r");
        if (!x)
            continue;
        size_t k = fread(b, 1, sizeof b - 1, x);
        fclose(x);
        b[k] = 0;
        char *q = strrchr(b, ')');
        if (!q)
            continue;
        unsigned long ut, st;
        long cu, cs, pr, ni, nt;
        int pp;
        char stt;
        if (sscanf(q + 2, "%c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %ld %ld %ld", &stt, &pp, &ut, &st,
                   &cu, &cs, &pr, &ni, &nt) != 9)
            continue;
        pid[n] = p;
        ppid[n] = pp;
        u[n] = ut / hz;
        s[n] = st / hz;
        th[n] = nt;
        n++;
    }
    if (d)
        closedir(d);
    static char in[65536];
    memset(in, 0, n);
    int more = 1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < nroots; j++)
            if (pid[i] == roots[j])
                in[i] = 1;
    while (more) {
        more = 0;
        for (int i = 0; i < n; i++)
            if (!in[i])
                for (int j = 0; j < n; j++)
                    if (in[j] && pid[j] == ppid[i]) {
                        in[i] = 1;
                        more = 1;
                        break;
                    }
    }
    for (int i = 0; i < n; i++)
        if (in[i]) {
            r.user += u[i];
            r.sys += s[i];
            r.procs++;
            r.threads += th[i];
            char f[64], b[256];
            snprintf(f, sizeof f, "/proc/%d/statm", pid[i]);
            FILE *x = fopen(f, "r");
            if (x) {
                long a, c;
                if (fscanf(x, "%ld %ld", &a, &c) == 2)
                    r.rss_kb += c * (sysconf(_SC_PAGESIZE) / 1024);
                fclose(x);
            }
            (void)b;
        }
    r.cpu = r.user + r.sys;
    return r;
}
