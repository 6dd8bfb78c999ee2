// sse_load - keeps C concurrent SSE chat streams open against 127.0.0.1:PORT (one thread, epoll).
//   -p port  -c streams  -n chunks per stream  -d pace ms  -r ramp s  -t window s  -b prompt bytes
//   -P pid   process tree whose CPU and RSS are read at both ends of the window
//   -H 'Name: value'  extra request header   -1  no new streams once C have been started
// Reads the send time that mock puts in each chunk; prints one line of JSON.
#define _GNU_SOURCE
#include "pstree.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
typedef struct {
    uint64_t b[4096];
    uint64_t n, max;
    double sum;
} hist; // log-linear, 64 per octave
static int hidx(uint64_t v) {
    if (v < 128)
        return v;
    int e = 63 - __builtin_clzll(v);
    return (e - 5) * 64 + (int)((v >> (e - 6)) - 64) + (128 - 128);
}
static uint64_t hval(int i) {
    if (i < 128)
        return i;
    int e = i / 64 + 5;
    return (uint64_t)(i % 64 + 64) << (e - 6);
}
static void hadd(hist *h, uint64_t v) {
    int i = hidx(v);
    if (i > 4095)
        i = 4095;
    h->b[i]++;
    h->n++;
    h->sum += v;
    if (v > h->max)
        h->max = v;
}
static uint64_t hq(hist *h, double q) {
    uint64_t t = (uint64_t)(q * h->n), a = 0;
    for (int i = 0; i < 4096; i++) {
        a += h->b[i];
        if (a > t)
            return hval(i);
    }
    return h->max;
}
enum { CONNECTING, HEAD, BODY };
enum { CK_SIZE, CK_DATA, CK_CRLF, CK_TRAILER };
typedef struct {
    int fd, v, st, ck, chunked, status, got, open, done;
    long left, clen;
    uint64_t t0;
    char head[4096];
    int hl;
    char szb[32];
    int szl;
    char line[4096];
    int ll;
    size_t sent;
} conn;
#define V 64 // different conversations, one per connection in turn
static int ep, port = 0, C = 64, N = 100, D = 0, B = 1024, once = 0;
static double ramp = 1, win = 10;
static char *reqs[V];
static size_t reqlens[V];
static int pids[16], npids;
static hist delay, ttft, whole;
static uint64_t chunks, streams_ok, errs, badorder, openmax, started, bytes;
static long nopen;
static int measuring, stopping;
static char errmsg[256];
static uint64_t us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}
static void start(conn *c);
// One pause for each round of events, so that a dead gateway is not asked without end: a pause for each of the hundreds
// of streams that an engine's death breaks would show as delay of all others.
static int rested;
static void connect_it(conn *c) {
    if (c->fd >= 0)
        close(c->fd);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connect(c->fd, (void *)&a, sizeof a);
    struct epoll_event e = {.events = EPOLLOUT | EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
    c->st = CONNECTING;
    c->sent = 0;
}
static void resetc(conn *c) {
    c->hl = c->ll = c->szl = c->got = c->status = c->chunked = c->done = 0;
    c->left = 0;
    c->clen = -1;
    c->ck = CK_SIZE;
    c->sent = 0;
    if (c->open) {
        c->open = 0;
        nopen--;
    }
}
static void fail(conn *c, const char *why) {
    if (measuring)
        errs++;
    if (!errmsg[0])
        snprintf(errmsg, sizeof errmsg, "%s status=%d got=%d %.120s", why, c->status, c->got, c->line);
    resetc(c);
    if (stopping || once) {
        close(c->fd);
        c->fd = -1;
        return;
    }
    if (!rested)
        usleep(1000);
    rested = 1;
    connect_it(c);
    c->t0 = us();
}
static int pushreq(conn *c) { // 0 = whole request is out
    while (c->sent < reqlens[c->v]) {
        ssize_t r = send(c->fd, reqs[c->v] + c->sent, reqlens[c->v] - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r < 0)
            return errno == EAGAIN ? 1 : -1;
        c->sent += r;
    }
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
    return 0;
}
static void start(conn *c) {
    resetc(c);
    c->t0 = us();
    started++;
    if (c->fd < 0) {
        connect_it(c);
        return;
    }
    c->st = HEAD;
    if (pushreq(c) < 0)
        connect_it(c);
}
static void line(conn *c, uint64_t now) {
    c->line[c->ll] = 0;
    char *p = strchr(c->line, '@');
    if (!strncmp(c->line, "data:", 5) && p) {
        char *e;
        uint64_t ts = strtoull(p + 1, &e, 10);
        long ix = strtol(e, NULL, 10);
        if (ix != c->got && measuring)
            badorder++;
        if (!c->got) {
            if (measuring)
                hadd(&ttft, now - c->t0);
            c->open = 1;
            nopen++;
            if ((uint64_t)nopen > openmax)
                openmax = nopen;
        }
        c->got++;
        if (measuring) {
            chunks++;
            hadd(&delay, now > ts ? now - ts : 0);
        }
    } else if (!strncmp(c->line, "data: [DONE]", 12))
        c->done = 1;
    else if (!errmsg[0] && c->ll && !strstr(c->line, "finish_reason") && !strstr(c->line, "\"delta\""))
        snprintf(errmsg, sizeof errmsg, "line: %.200s", c->line);
    c->ll = 0;
}
static void data(conn *c, const char *p, size_t n, uint64_t now) {
    while (n) {
        const char *nl = memchr(p, '\n', n);
        size_t k = nl ? (size_t)(nl - p) : n;
        size_t room = sizeof c->line - 1 - c->ll;
        size_t m = k < room ? k : room;
        memcpy(c->line + c->ll, p, m);
        c->ll += m;
        if (nl) {
            line(c, now);
            k++;
        }
        p += k;
        n -= k;
    }
}
static int body(conn *c, const char *p, size_t n, uint64_t now) { // 1 = message complete
    if (!c->chunked) {
        data(c, p, n, now);
        if (c->clen >= 0) {
            c->clen -= n;
            if (c->clen <= 0)
                return 1;
        }
        return 0;
    }
    while (n)
        switch (c->ck) {
        case CK_SIZE:
            if (*p == '\n') {
                c->szb[c->szl] = 0;
                c->left = strtol(c->szb, NULL, 16);
                c->szl = 0;
                c->ck = c->left ? CK_DATA : CK_TRAILER;
                if (!c->left)
                    c->left = 2;
            } else if (c->szl < 31)
                c->szb[c->szl++] = *p;
            p++;
            n--;
            break;
        case CK_DATA: {
            size_t k = n < (size_t)c->left ? n : (size_t)c->left;
            data(c, p, k, now);
            p += k;
            n -= k;
            c->left -= k;
            if (!c->left) {
                c->ck = CK_CRLF;
                c->left = 2;
            }
            break;
        }
        case CK_CRLF:
            p++;
            n--;
            if (!--c->left)
                c->ck = CK_SIZE;
            break;
        case CK_TRAILER:
            p++;
            n--;
            if (!--c->left)
                return 1;
            break;
        }
    return 0;
}
static void finish(conn *c, uint64_t now) {
    if (c->ll)
        line(c, now);
    if (c->status != 200 || c->got != N || !c->done) {
        fail(c, "short");
        return;
    }
    if (measuring) {
        streams_ok++;
        hadd(&whole, now - c->t0);
    }
    if (stopping || once) {
        resetc(c);
        c->t0 = 0;
        close(c->fd);
        c->fd = -1;
        return;
    }
    start(c);
}
static char buf[1 << 18];
static void readable(conn *c) {
    for (int i = 0; i < 4; i++) {
        ssize_t r = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);
        if (r < 0) {
            if (errno == EAGAIN)
                return;
            fail(c, strerror(errno));
            return;
        }
        uint64_t now = us();
        bytes += r;
        if (r == 0) {
            if (c->st == BODY && !c->chunked && c->clen < 0 && c->done) {
                close(c->fd);
                c->fd = -1;
                finish(c, now);
            } else
                fail(c, "eof");
            return;
        }
        char *p = buf;
        size_t n = r;
        if (c->st == HEAD) {
            size_t k = n < sizeof c->head - 1 - c->hl ? n : sizeof c->head - 1 - c->hl;
            int old = c->hl;
            memcpy(c->head + c->hl, p, k);
            c->hl += k;
            c->head[c->hl] = 0;
            char *e = strstr(c->head, "\r\n\r\n");
            if (!e) {
                if (k < n) {
                    fail(c, "head");
                    return;
                }
                continue;
            }
            size_t used = e + 4 - c->head - old;
            p += used;
            n -= used;
            e[2] = 0;
            c->status = atoi(c->head + 9);
            c->chunked = strcasestr(c->head, "transfer-encoding: chunked") != NULL;
            char *cl = strcasestr(c->head, "content-length:");
            c->clen = cl ? atol(cl + 15) : -1;
            c->st = BODY;
            if (!c->chunked && c->clen == 0) {
                finish(c, now);
                return;
            }
        }
        if (n && body(c, p, n, now)) {
            finish(c, now);
            return;
        }
        if (r < (ssize_t)sizeof buf)
            return;
    }
}
int main(int ac, char **av) {
    char xh[4096] = "";
    int o;
    while ((o = getopt(ac, av, "p:c:n:d:r:t:b:P:H:1")) > 0)
        switch (o) {
        case 'p':
            port = atoi(optarg);
            break;
        case 'c':
            C = atoi(optarg);
            break;
        case 'n':
            N = atoi(optarg);
            break;
        case 'd':
            D = atoi(optarg);
            break;
        case 'r':
            ramp = atof(optarg);
            break;
        case 't':
            win = atof(optarg);
            break;
        case 'b':
            B = atoi(optarg);
            break;
        case '1':
            once = 1;
            break;
        case 'P': {
            for (char *t = strtok(optarg, ", "); t; t = strtok(NULL, ", "))
                if (npids < 16)
                    pids[npids++] = atoi(t);
            break;
        }
        case 'H':
            strcat(xh, optarg);
            strcat(xh, "\r\n");
            break;
        default:
            return 2;
        }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
    for (int v = 0; v < V; v++) {
        char *js = malloc(B + 1024);
        int j = sprintf(js,
                        "{\"model\":\"mock\",\"stream\":true,\"max_tokens\":%d,\"messages\":[{\"role\":\"user\","
                        "\"content\":\"session %d pace_ms=%d ",
                        N, v, D);
        for (int i = 0; i < B; i++)
            js[j++] = "lorem ipsum dolor sit amet "[i % 27];
        j += sprintf(js + j, "\"}]}");
        reqs[v] = malloc(j + 8192);
        reqlens[v] = sprintf(reqs[v],
                             "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: "
                             "application/json\r\nAuthorization: Bearer %s\r\n%sContent-Length: %d\r\n\r\n",
                             port, getenv("BENCH_KEY") ? getenv("BENCH_KEY") : "sk-bench", xh, j);
        memcpy(reqs[v] + reqlens[v], js, j);
        reqlens[v] += j;
        free(js);
    }
    ep = epoll_create1(0);
    conn *cs = calloc(C, sizeof *cs);
    for (int i = 0; i < C; i++)
        cs[i].fd = -1, cs[i].clen = -1, cs[i].v = i % V;
    uint64_t t0 = us(), tw = t0 + ramp * 1e6, te = tw + win * 1e6, m0 = 0, m1 = 0;
    int up = 0;
    pstat_t a = {0}, z = {0}, peak = {0};
    uint64_t nextrss = 0;
    static struct epoll_event ev[1024];
    struct rusage ru0, ru1;
    for (;;) {
        uint64_t now = us();
        int want = now >= tw - ramp * 0.2e6 ? C : (int)(C * ((now - t0) / (ramp * 0.8e6)));
        while (up < want && up < C)
            start(&cs[up++]);
        if (!measuring && now >= tw) {
            if (npids)
                a = pstat_tree(pids, npids);
            getrusage(RUSAGE_SELF, &ru0);
            m0 = us();
            measuring = 1;
        }
        if (npids && now >= nextrss) {
            pstat_t q = pstat_tree(pids, npids);
            if (q.rss_kb > peak.rss_kb)
                peak = q;
            nextrss = now + 500000;
        }
        if (now >= te) {
            m1 = us();
            if (npids)
                z = pstat_tree(pids, npids);
            getrusage(RUSAGE_SELF, &ru1);
            measuring = 0;
            break;
        }
        int k = epoll_wait(ep, ev, 1024, up < C ? 1 : 20);
        rested = 0;
        for (int i = 0; i < k; i++) {
            conn *c = ev[i].data.ptr;
            if (c->fd < 0)
                continue;
            if (ev[i].events & (EPOLLERR | EPOLLHUP) && c->st == CONNECTING) {
                fail(c, "connect");
                continue;
            }
            if (ev[i].events & EPOLLOUT) {
                if (c->st == CONNECTING)
                    c->st = HEAD;
                if (pushreq(c) < 0) {
                    fail(c, "send");
                    continue;
                }
            }
            if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                readable(c);
        }
    }
    double s = (m1 - m0) / 1e6, cpu = z.cpu - a.cpu;
    double own = (ru1.ru_utime.tv_sec - ru0.ru_utime.tv_sec) + (ru1.ru_stime.tv_sec - ru0.ru_stime.tv_sec) +
                 (ru1.ru_utime.tv_usec - ru0.ru_utime.tv_usec + ru1.ru_stime.tv_usec - ru0.ru_stime.tv_usec) / 1e6;
    for (char *p = errmsg; *p; p++)
        if (*p == '"' || *p == '\\' || (unsigned char)*p < 32)
            *p = '\'';
    printf("{\"window_s\":%.3f,\"chunks\":%lu,\"chunks_per_s\":%.0f,\"streams\":%lu,\"errors\":%lu,\"bad_order\":%lu,"
           "\"open_max\":%lu,\"open_end\":%ld,\"delay_us\":{\"mean\":%.0f,\"p50\":%lu,\"p90\":%lu,\"p99\":%lu,\"max\":%"
           "lu},\"ttft_us\":{\"n\":%lu,\"p50\":%lu,\"p99\":%lu},\"stream_us\":{\"p50\":%lu,\"p99\":%lu},\"cpu_s\":%.2f,"
           "\"cpu_user\":%.2f,\"cpu_sys\":%.2f,\"us_per_chunk\":%.3f,\"rss_end_kb\":%ld,\"rss_peak_kb\":%ld,\"procs\":%"
           "d,\"threads\":%d,\"client_cpu_s\":%.2f,\"note\":\"%s\"}\n",
           s, chunks, chunks / s, streams_ok, errs, badorder, openmax, nopen, delay.n ? delay.sum / delay.n : 0.0,
           hq(&delay, .5), hq(&delay, .9), hq(&delay, .99), delay.max, ttft.n, hq(&ttft, .5), hq(&ttft, .99),
           hq(&whole, .5), hq(&whole, .99), cpu, z.user - a.user, z.sys - a.sys, chunks ? cpu * 1e6 / chunks : 0.0,
           z.rss_kb, peak.rss_kb, z.procs, z.threads, own, errmsg);
    return 0;
}
