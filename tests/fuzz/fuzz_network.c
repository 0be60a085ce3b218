/* fuzz_network.c - any words of --network and --publish: what is read keeps to its bounds. Side: any. */
#define _GNU_SOURCE
#include "replay.h"

#include "base/error.h"
#include "spec/spec_network.h"

static void promises_of_network(const struct spec_network *network)
{
	promise(network->mtu >= SPEC_NETWORK_MTU_MIN && network->mtu <= SPEC_NETWORK_MTU);
	promise((network->network & ~network->mask) == 0);
	promise((network->gateway & network->mask) == network->network && (network->dns & network->mask) == network->network);
	promise((network->guest & network->mask) == network->network && (network->guest | network->mask) != UINT32_MAX);
	promise(network->guest != network->gateway && network->guest != network->dns && network->gateway != network->dns);
	promise(memchr(network->interface, '\0', sizeof(network->interface)) != NULL && strchr(network->interface, '/') == NULL);
	promise(network->outbound.family == 0 || network->interface[0] == '\0');
}

static void promises_of_publish(const struct spec_publish *publish)
{
	promise(publish->host.family == AF_INET || publish->host.family == AF_INET6);
	promise(publish->count > 0 && publish->host_port > 0 && publish->port > 0);
	promise(publish->host_port + publish->count - 1 <= 65535 && publish->port + publish->count - 1 <= 65535);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct spec_network network;
	struct spec_publish publish;
	struct error err = { 0 };
	char  *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, bytes, size);
	text[size] = '\0';
	int ret = spec_network_parse(text, &network, &err);
	promise(ret == 0 || (ret == -err.code && err.cause[0] != '\0'));
	if (ret == 0)
		promises_of_network(&network);
	err = (struct error){ 0 };
	ret = spec_network_parse_publish(text, &publish, &err);
	promise(ret == 0 || (ret == -err.code && err.cause[0] != '\0'));
	if (ret == 0)
		promises_of_publish(&publish);
	free(text);
	return 0;
}
