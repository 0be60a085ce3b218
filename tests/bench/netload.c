/* netload.c - the two ends of a connection, for bench-net.sh. Side: any; test.
 *
 * netload serve PORT                     answer on every address, TCP and UDP, until killed
 * netload send HOST PORT BYTES           TCP: Gbit/s of so many bytes, until the other side has them all
 * netload rr HOST PORT COUNT IDLE        TCP: median of COUNT round trips of one byte, us, while IDLE other connections
 *                                        are open; they stay open until stdin ends
 * netload connect HOST PORT SECONDS      connections a second, each with one byte there and back
 * netload udp HOST PORT SECONDS SIZE     Gbit/s that arrived of datagrams of SIZE bytes
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (1024 * 1024)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die(host);
	return a;
}

static int dial(struct sockaddr_in to)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* A connection's first byte says what it is for: s: swallow all, then one byte back; anything else: an echo. */
static void *serve_one(void *arg)
{
	int   fd = (int)(intptr_t)arg;
	char *bytes = malloc(CHUNK), first = 0;
	ssize_t count;

	if (bytes == NULL || read(fd, &first, 1) != 1 || (first != 's' && write(fd, &first, 1) != 1))
		first = 0;
	while (first != 0 && (count = read(fd, bytes, first == 's' ? CHUNK : 1)) > 0)
		if (first != 's' && write(fd, bytes, (size_t)count) != count)
			break;
	if (first == 's' && write(fd, &first, 1) != 1)
		perror("write");
	free(bytes);
	close(fd);
	return NULL;
}

/* Counts what comes; a datagram of one byte is answered with the count, and begins anew. */
static void *serve_udp(void *arg)
{
	int  fd = (int)(intptr_t)arg;
	char bytes[65536], text[32];
	unsigned long long total = 0;
	struct sockaddr_in from;

	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t count = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);

		if (count == 1) {
			int length = snprintf(text, sizeof(text), "%llu", total);

			sendto(fd, text, (size_t)length, 0, (struct sockaddr *)&from, size);
			total = bytes[0] == 'z' ? 0 : total;
		} else if (count > 0) {
			total += (unsigned long long)count;
		}
	}
	return NULL;
}

static void serve(const char *port)
{
	struct sockaddr_in any = address("0.0.0.0", port);
	int one = 1, tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int large = 16 * 1024 * 1024;
	pthread_attr_t attributes;
	pthread_t thread;

	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &large, sizeof(large));
	if (bind(tcp, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(tcp, 4096) < 0 ||
	    bind(udp, (struct sockaddr *)&any, sizeof(any)) < 0)
		die("bind");
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_create(&thread, &attributes, serve_udp, (void *)(intptr_t)udp);
	for (;;) {
		int fd = accept4(tcp, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			die("accept");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&thread, &attributes, serve_one, (void *)(intptr_t)fd) != 0)
			close(fd);
	}
}

static void send_all(struct sockaddr_in to, unsigned long long bytes)
{
	char  *chunk = calloc(1, CHUNK), last;
	int    fd = dial(to);
	double start = now();
	unsigned long long left = bytes;

	if (chunk == NULL)
		die("memory");
	chunk[0] = 's';
	while (left > 0) {
		ssize_t count = write(fd, chunk, left < CHUNK ? left : CHUNK);

		if (count <= 0)
			die("write");
		left -= (unsigned long long)count;
	}
	shutdown(fd, SHUT_WR);
	if (read(fd, &last, 1) != 1)
		die("read");
	printf("%.3f\n", (double)bytes * 8 / 1e9 / (now() - start));
}

static void round_trip(int fd)
{
	char byte = 'e';

	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		die("round trip");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void round_trips(struct sockaddr_in to, int count, int idle)
{
	double *times = calloc((size_t)count, sizeof(*times));
	int     fd = dial(to);
	char    byte;

	for (int i = 0; i < idle; i++)
		round_trip(dial(to));
	for (int i = 0; i < count; i++) {
		double start = now();

		round_trip(fd);
		times[i] = (now() - start) * 1e6;
	}
	qsort(times, (size_t)count, sizeof(*times), compare);
	printf("%.1f\n", times[count / 2]);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void connections(struct sockaddr_in to, double seconds)
{
	struct linger at_once = { 1, 0 };
	double start = now();
	int    count = 0;

	for (; now() - start < seconds; count++) {
		int fd = dial(to);

		round_trip(fd);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)); /* ports do not run out */
		close(fd);
	}
	printf("%.0f\n", count / (now() - start));
}

static void datagrams(struct sockaddr_in to, double seconds, size_t size)
{
	struct timeval wait = { .tv_sec = 1 };
	int    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char   bytes[65536] = { 0 }, text[32] = "0";
	ssize_t count = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	for (int i = 0; i < 5 && count <= 0; i++)
		count = send(fd, "z", 1, 0) == 1 ? recv(fd, text, sizeof(text) - 1, 0) : 0;
	double start = now();
	while (now() - start < seconds)
		if (send(fd, bytes, size, 0) < 0 && errno != ENOBUFS && errno != ECONNREFUSED)
			die("send");
	double took = now() - start;
	usleep(200000);
	count = 0;
	for (int i = 0; i < 5 && count <= 0; i++)
		count = send(fd, "z", 1, 0) == 1 ? recv(fd, text, sizeof(text) - 1, 0) : 0;
	text[count > 0 ? count : 0] = '\0';
	printf("%.3f\n", strtod(text, NULL) * 8 / 1e9 / took);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	else if (argc == 5 && strcmp(argv[1], "send") == 0)
		send_all(address(argv[2], argv[3]), strtoull(argv[4], NULL, 10));
	else if (argc == 6 && strcmp(argv[1], "rr") == 0)
		round_trips(address(argv[2], argv[3]), atoi(argv[4]), atoi(argv[5]));
	else if (argc == 5 && strcmp(argv[1], "connect") == 0)
		connections(address(argv[2], argv[3]), atof(argv[4]));
	else if (argc == 6 && strcmp(argv[1], "udp") == 0)
		datagrams(address(argv[2], argv[3]), atof(argv[4]), (size_t)atoi(argv[5]));
	else
		return 2;
	return 0;
}
