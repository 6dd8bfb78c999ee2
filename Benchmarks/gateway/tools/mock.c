// mock.c - small mock of an OpenAI-compatible inference server (one thread, epoll).
//   mock PORT [SHARED_PORT]
// Listens on 127.0.0.1:PORT and, with SO_REUSEPORT, on SHARED_PORT too (so that
// a "direct" run can spread over all instances without a proxy).
//   POST /v1/chat/completions   JSON reply, or SSE when the body has "stream":true
//     "max_tokens":N      -> N content chunks            (default 100)
//     pace_ms=D anywhere   -> one chunk each D ms         (default 0: unpaced)
//   Each SSE chunk is 200 bytes and carries "@<CLOCK_MONOTONIC us> <index>" as its
//   content, so that the client knows when the server sent it.
//   Unpaced: one chunk (one send) per connection per pass of the event loop.
//   GET /v1/models /health /metrics
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 4096 // timer wheel, 1 ms per slot
enum { READING, STREAMING };
typedef struct conn {
    int fd, state, want_out, keep;
    char *in;
    size_t inlen, incap;
    char *out;
    size_t outlen, outoff, outcap;
    int n, sent, pace; // stream
    struct conn *next, *prev;
    int queued; // in wheel slot or run queue
} conn;
static int ep, port;
static conn wheel[SLOTS], runq;
static long nwheel, nrun;
static uint64_t tick;
static long running, total, streams, toks;
static conn *dead[65536];
static int ndead;

static uint64_t us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}
static void linit(conn *h) {
    h->next = h->prev = h;
}
static void lpush(conn *h, conn *c) {
    c->prev = h->prev;
    c->next = h;
    h->prev->next = c;
    h->prev = c;
}
static void ldel(conn *c) {
    c->prev->next = c->next;
    c->next->prev = c->prev;
}
static void unqueue(conn *c) {
    if (c->queued) {
        ldel(c);
        if (c->queued == 1)
            nwheel--;
        else
            nrun--;
        c->queued = 0;
    }
}
static void q_timer(conn *c, int ms) {
    unqueue(c);
    if (ms < 1)
        ms = 1;
    if (ms >= SLOTS)
        ms = SLOTS - 1;
    lpush(&wheel[(tick + ms) % SLOTS], c);
    c->queued = 1;
    nwheel++;
}
static void q_run(conn *c) {
    unqueue(c);
    lpush(&runq, c);
    c->queued = 2;
    nrun++;
}
static void mod(conn *c, int out) {
    if (c->want_out == out)
        return;
    c->want_out = out;
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | (out ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void cclose(conn *c) {
    if (c->fd < 0)
        return;
    unqueue(c);
    if (c->state == STREAMING)
        running--;
    close(c->fd);
    c->fd = -1;
    if (ndead < 65536)
        dead[ndead++] = c;
}

// returns 1 when all is out, 0 when some is left over, -1 when closed
static int csend(conn *c, const char *p, size_t n) {
    size_t off = 0;
    if (c->outlen == c->outoff) {
        c->outlen = c->outoff = 0;
        ssize_t r = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r < 0) {
            if (errno != EAGAIN) {
                cclose(c);
                return -1;
            }
            r = 0;
        }
        off = r;
        if (off == n)
            return 1;
    }
    if (c->outlen + n - off > c->outcap) {
        c->outcap = (c->outlen + n - off) * 2;
        c->out = realloc(c->out, c->outcap);
    }
    memcpy(c->out + c->outlen, p + off, n - off);
    c->outlen += n - off;
    mod(c, 1);
    return 0;
}
static int cflush(conn *c) {
    while (c->outoff < c->outlen) {
        ssize_t r = send(c->fd, c->out + c->outoff, c->outlen - c->outoff, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r < 0) {
            if (errno == EAGAIN)
                return 0;
            cclose(c);
            return -1;
        }
        c->outoff += r;
    }
    c->outoff = c->outlen = 0;
    mod(c, 0);
    return 1;
}
static char chunk[512];
static int chunklen, tspos, idxpos;
static char tail[1024];
static int taillen;
static char json_reply[2048];
static int json_len;
static char sse_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: "
                         "no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
static void digits(char *p, int w, uint64_t v) {
    for (int i = w - 1; i >= 0; i--) {
        p[i] = '0' + v % 10;
        v /= 10;
    }
}
static int addchunk(char *dst, const char *ev) {
    return sprintf(dst, "%zx\r\n%s\r\n", strlen(ev), ev);
}
static void build(void) {
    char ev[512];
    const char *base =
        "data: "
        "{\"id\":\"chatcmpl-mock0001\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"mock\","
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"@0000000000000000 000000 \"},\"finish_reason\":null}]}\n\n";
    strcpy(ev, base);
    chunklen = addchunk(chunk, ev);
    char *at = strchr(chunk, '@');
    tspos = at - chunk + 1;
    idxpos = tspos + 17;
    taillen =
        addchunk(tail, "data: "
                       "{\"id\":\"chatcmpl-mock0001\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
                       "\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
    taillen += addchunk(tail + taillen, "data: [DONE]\n\n");
    taillen += sprintf(tail + taillen, "0\r\n\r\n");
    char b[1024];
    int n = sprintf(
        b,
        "{\"id\":\"chatcmpl-mock0001\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"mock\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"logprobs\":null,\"finish_"
        "reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":250,\"completion_tokens\":64,\"total_tokens\":314}}",
        "The quick brown fox jumps over the lazy dog while a mock server answers at once and always with the very same "
        "words, so that whatever time is seen beyond this was spent by what stands in between. It does not think, it "
        "does not sample, it does not batch; it only counts, and it sends back what it was built to send back, no "
        "more.");
    json_len =
        sprintf(json_reply, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, b);
}
static int step(conn *c) { // one chunk of a stream
    digits(chunk + tspos, 16, us());
    digits(chunk + idxpos, 6, c->sent);
    c->sent++;
    toks++;
    if (c->sent < c->n)
        return csend(c, chunk, chunklen);
    char b[2048];
    memcpy(b, chunk, chunklen);
    memcpy(b + chunklen, tail, taillen);
    unqueue(c);
    c->state = READING;
    running--;
    return csend(c, b, chunklen + taillen);
}
static void reply(conn *c, const char *ctype, const char *body) {
    char b[16384];
    int n = snprintf(b, sizeof b, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", ctype,
                     strlen(body), body);
    csend(c, b, n);
}
static void metrics(conn *c) {
    char b[8192];
    int n = 0;
#define M(name, type, fmt, v)                                                                                          \
    n += sprintf(b + n, "# HELP %s mock\n# TYPE %s %s\n%s{engine=\"0\",model_name=\"mock\"} " fmt "\n", name, name,    \
                 type, name, v)
    M("vllm:num_requests_running", "gauge", "%.1f", (double)running);
    M("vllm:num_requests_waiting", "gauge", "%.1f", 0.0);
    M("vllm:kv_cache_usage_perc", "gauge", "%.4f", running / 1000.0);
    M("vllm:gpu_cache_usage_perc", "gauge", "%.4f", running / 1000.0);
    M("vllm:prefix_cache_queries_total", "counter", "%.1f", total * 250.0);
    M("vllm:prefix_cache_hits_total", "counter", "%.1f", total * 125.0);
    M("vllm:prompt_tokens_total", "counter", "%.1f", total * 250.0);
    M("vllm:generation_tokens_total", "counter", "%.1f", (double)toks);
    M("vllm:request_success_total", "counter", "%.1f", (double)total);
    reply(c, "text/plain; version=0.0.4; charset=utf-8", b);
}
static long intafter(const char *b, size_t n, const char *key, long dflt) {
    char *p = memmem(b, n, key, strlen(key));
    if (!p)
        return dflt;
    p += strlen(key);
    while (p < b + n && (*p == ' ' || *p == ':' || *p == '"'))
        p++;
    return (p < b + n && isdigit((unsigned char)*p)) ? atol(p) : dflt;
}
static void handle(conn *c, const char *h, size_t hn, const char *body, size_t bn) {
    char path[128];
    int isget = !strncmp(h, "GET ", 4);
    const char *s = memchr(h, ' ', hn);
    if (!s) {
        cclose(c);
        return;
    }
    s++;
    size_t k = 0;
    while (k < sizeof path - 1 && s[k] != ' ' && s[k] != '?' && s[k] != '\r') {
        path[k] = s[k];
        k++;
    }
    path[k] = 0;
    if (!isget && !strcmp(path, "/v1/chat/completions")) {
        total++;
        int st = memmem(body, bn, "\"stream\":true", 13) || memmem(body, bn, "\"stream\": true", 14);
        if (!st) {
            csend(c, json_reply, json_len);
            return;
        }
        streams++;
        c->n = intafter(body, bn, "\"max_tokens\"", intafter(body, bn, "\"max_completion_tokens\"", 100));
        if (c->n < 1)
            c->n = 1;
        c->pace = intafter(body, bn, "pace_ms=", 0);
        c->sent = 0;
        c->state = STREAMING;
        running++;
        if (csend(c, sse_head, sizeof sse_head - 1) < 0)
            return;
        if (c->pace)
            q_timer(c, c->pace);
        else if (!c->want_out)
            q_run(c);
        return;
    }
    if (!strcmp(path, "/v1/models"))
        reply(c, "application/json",
              "{\"object\":\"list\",\"data\":[{\"id\":\"mock\",\"object\":\"model\",\"created\":1760000000,\"owned_"
              "by\":\"vllm\",\"root\":\"mock\",\"max_model_len\":131072}]}");
    else if (!strcmp(path, "/metrics"))
        metrics(c);
    else if (!strncmp(path, "/health", 7) || !strcmp(path, "/ping") || !strcmp(path, "/"))
        reply(c, "application/json", "{}");
    else {
        const char *e = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: "
                        "23\r\n\r\n{\"detail\":\"Not Found\"}\n";
        fprintf(stderr, "404 %s\n", path);
        csend(c, e, strlen(e));
    }
}
static const char *hdr(const char *h, size_t n, const char *name) { // value of header, or NULL
    size_t l = strlen(name);
    const char *p = h, *e = h + n;
    while (p < e) {
        const char *nl = memchr(p, '\n', e - p);
        if (!nl)
            break;
        p = nl + 1;
        if ((size_t)(e - p) > l && !strncasecmp(p, name, l) && p[l] == ':') {
            p += l + 1;
            while (*p == ' ')
                p++;
            return p;
        }
    }
    return NULL;
}
static void process(conn *c) {
    while (c->fd >= 0 && c->state == READING && c->inlen) {
        char *end = memmem(c->in, c->inlen, "\r\n\r\n", 4);
        if (!end)
            return;
        size_t hn = end - c->in + 4, need;
        char *body = c->in + hn;
        size_t bn = 0;
        char *free_me = NULL;
        const char *cl = hdr(c->in, hn, "Content-Length"), *te = hdr(c->in, hn, "Transfer-Encoding"),
                   *ex = hdr(c->in, hn, "Expect");
        if (ex && c->inlen == hn) {
            csend(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        }
        if (te && !strncasecmp(te, "chunked", 7)) {
            char *p = body, *e = c->in + c->inlen;
            free_me = malloc(c->inlen + 1);
            for (;;) {
                char *nl = memmem(p, e - p, "\r\n", 2);
                if (!nl) {
                    free(free_me);
                    return;
                }
                size_t sz = strtoul(p, NULL, 16);
                p = nl + 2;
                if ((size_t)(e - p) < sz + 2) {
                    free(free_me);
                    return;
                }
                if (!sz) {
                    p += 2;
                    break;
                }
                memcpy(free_me + bn, p, sz);
                bn += sz;
                p += sz + 2;
            }
            body = free_me;
            need = p - c->in;
        } else {
            bn = cl ? strtoul(cl, NULL, 10) : 0;
            need = hn + bn;
            if (c->inlen < need)
                return;
        }
        handle(c, c->in, hn, body, bn);
        free(free_me);
        if (c->fd < 0)
            return;
        memmove(c->in, c->in + need, c->inlen - need);
        c->inlen -= need;
    }
}
static int listen_on(int p, int reuse) {
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(p), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (reuse)
        setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(s, (void *)&a, sizeof a) || listen(s, 4096)) {
        perror("bind");
        exit(1);
    }
    return s;
}
int main(int ac, char **av) {
    if (ac < 2) {
        fprintf(stderr, "mock PORT [SHARED_PORT]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
    build();
    linit(&runq);
    for (int i = 0; i < SLOTS; i++)
        linit(&wheel[i]);
    ep = epoll_create1(0);
    port = atoi(av[1]);
    int ls[2] = {listen_on(port, 0), ac > 2 ? listen_on(atoi(av[2]), 1) : -1};
    for (int i = 0; i < 2; i++)
        if (ls[i] >= 0) {
            struct epoll_event e = {.events = EPOLLIN, .data.ptr = &ls[i]};
            epoll_ctl(ep, EPOLL_CTL_ADD, ls[i], &e);
        }
    static struct epoll_event ev[1024];
    tick = us() / 1000;
    for (;;) {
        struct timespec ts = {0, 0}, *tp = NULL;
        if (nrun)
            tp = &ts;
        else if (nwheel) {
            uint64_t n = us(), due = (tick + 1) * 1000;
            ts.tv_nsec = due > n ? (due - n) * 1000 : 0;
            tp = &ts;
        }
        int k = epoll_pwait2(ep, ev, 1024, tp, NULL);
        for (int i = 0; i < k; i++) {
            void *d = ev[i].data.ptr;
            if (d == &ls[0] || d == &ls[1]) {
                for (int j = 0; j < 64; j++) {
                    int f = accept4(*(int *)d, NULL, NULL, SOCK_NONBLOCK);
                    if (f < 0)
                        break;
                    int one = 1;
                    setsockopt(f, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    conn *c = calloc(1, sizeof *c);
                    c->fd = f;
                    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
                    epoll_ctl(ep, EPOLL_CTL_ADD, f, &e);
                }
                continue;
            }
            conn *c = d;
            if (c->fd < 0)
                continue;
            if (ev[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
                if (c->incap - c->inlen < 4096) {
                    c->incap = c->incap ? c->incap * 2 : 4096;
                    c->in = realloc(c->in, c->incap);
                }
                ssize_t r = recv(c->fd, c->in + c->inlen, c->incap - c->inlen, 0);
                if (r == 0 || (r < 0 && errno != EAGAIN)) {
                    cclose(c);
                    continue;
                }
                if (r > 0) {
                    c->inlen += r;
                    process(c);
                }
            }
            if (c->fd >= 0 && (ev[i].events & EPOLLOUT)) {
                if (cflush(c) == 1) {
                    if (c->state == STREAMING && !c->pace && !c->queued)
                        q_run(c);
                    else
                        process(c);
                }
            }
        }
        if (nrun) {
            conn *c = runq.next;
            for (long m = nrun; m > 0 && c != &runq; m--) {
                conn *nx = c->next;
                int r = step(c);
                if (r == 0 && c->fd >= 0)
                    unqueue(c);
                if (r == 1 && c->state == READING)
                    process(c);
                c = nx;
            }
        }
        uint64_t now = us() / 1000;
        while (tick < now) {
            tick++;
            conn *h = &wheel[tick % SLOTS];
            conn tmp;
            if (h->next == h)
                continue;
            linit(&tmp);
            while (h->next != h) {
                conn *c = h->next;
                ldel(c);
                lpush(&tmp, c);
            }
            while (tmp.next != &tmp) {
                conn *c = tmp.next;
                ldel(c);
                nwheel--;
                c->queued = 0;
                int r = step(c);
                if (c->fd < 0)
                    continue;
                if (c->state == STREAMING)
                    q_timer(c, c->pace);
                else if (r == 1)
                    process(c);
            }
        }
        for (int i = 0; i < ndead; i++) {
            free(dead[i]->in);
            free(dead[i]->out);
            free(dead[i]);
        }
        ndead = 0;
    }
}
