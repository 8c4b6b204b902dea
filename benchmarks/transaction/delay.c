/* A TCP proxy that delivers every byte a fixed time after it was read: half a round trip in each direction.
 * delay LISTEN_PORT TARGET_PORT MICROSECONDS */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 64
#define CHUNK 65536

struct parcel { struct parcel *next; int64_t due; size_t size, sent; char bytes[]; };
struct flow { int from, to; struct parcel *first, *last; };

static struct flow flows[2 * PAIRS];
static int count;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct sockaddr_in local(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void ready(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void end(int pair) {
    for (int i = 2 * pair; i < 2 * pair + 2; i++) {
        if (i % 2 == 0) { close(flows[i].from); close(flows[i].to); }
        for (struct parcel *p = flows[i].first, *n; p; p = n) { n = p->next; free(p); }
        flows[i] = (struct flow){-1, -1, NULL, NULL};
    }
}

static void admit(int listener, int target) {
    int client = accept(listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0), pair;
    struct sockaddr_in a = local(target);
    if (client < 0 || connect(server, (struct sockaddr *)&a, sizeof a)) { close(client); close(server); return; }
    for (pair = 0; pair < PAIRS && flows[2 * pair].from >= 0; pair++);
    if (pair == PAIRS) { close(client); close(server); return; }
    ready(client); ready(server);
    flows[2 * pair] = (struct flow){client, server, NULL, NULL};
    flows[2 * pair + 1] = (struct flow){server, client, NULL, NULL};
    if (pair >= count) count = pair + 1;
}

static int take(struct flow *f, int64_t delay) {
    struct parcel *p = malloc(sizeof *p + CHUNK);
    ssize_t size = read(f->from, p->bytes, CHUNK);
    if (size <= 0) { free(p); return size < 0 && errno == EAGAIN ? 0 : -1; }
    *p = (struct parcel){NULL, now() + delay, (size_t)size, 0};
    if (f->last) f->last->next = p; else f->first = p;
    f->last = p;
    return 0;
}

static int deliver(struct flow *f) {
    while (f->first && f->first->due <= now()) {
        struct parcel *p = f->first;
        ssize_t sent = write(f->to, p->bytes + p->sent, p->size - p->sent);
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        if ((p->sent += (size_t)sent) < p->size) return 0;
        f->first = p->next;
        if (!f->first) f->last = NULL;
        free(p);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 4) { fprintf(stderr, "usage: delay LISTEN_PORT TARGET_PORT MICROSECONDS\n"); return 2; }
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, target = atoi(argv[2]);
    int64_t delay = atoll(argv[3]) * 1000;
    struct sockaddr_in a = local(atoi(argv[1]));
    struct pollfd polled[1 + 2 * PAIRS];
    prctl(PR_SET_TIMERSLACK, 1000UL);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) || listen(listener, 64)) { perror("delay"); return 1; }
    for (int i = 0; i < 2 * PAIRS; i++) flows[i] = (struct flow){-1, -1, NULL, NULL};
    for (;;) {
        int64_t next = -1, at = now();
        polled[0] = (struct pollfd){listener, POLLIN, 0};
        for (int i = 0; i < 2 * count; i++) {
            polled[1 + i] = (struct pollfd){flows[i].from, POLLIN, 0};
            if (flows[i].first && (next < 0 || flows[i].first->due < next)) next = flows[i].first->due;
        }
        struct timespec wait = {0, 0};
        if (next > at) wait = (struct timespec){(next - at) / 1000000000, (next - at) % 1000000000};
        if (ppoll(polled, 1 + 2 * count, next < 0 ? NULL : &wait, NULL) < 0 && errno != EINTR) return 1;
        int known = count;
        for (int i = 0; i < 2 * known; i++) {
            if (flows[i].from < 0) continue;
            int failed = polled[1 + i].revents ? take(&flows[i], delay) : 0;
            if (failed || deliver(&flows[i])) end(i / 2);
        }
        if (polled[0].revents & POLLIN) admit(listener, target);
    }
}
