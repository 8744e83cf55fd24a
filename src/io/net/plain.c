#include "io/net/transport.h"

#include <string.h>

#define JOINED_MAX SP_KIB(8)

static enum sp_err plain_handshake(struct sp_transport *t)
{
    (void)t;
    return SP_OK;
}

static enum sp_err plain_recv(struct sp_transport *t, size_t max, struct sp_view *out)
{
    size_t got = 0;
    SP_TRY(sp_socket_recv(t, t->wire->receive,
                          max < SP_WIRE_RECEIVE ? max : SP_WIRE_RECEIVE, &got));
    *out = sp_view(t->wire->receive, got);
    return SP_OK;
}

static bool plain_has_buffered(const struct sp_transport *t)
{
    (void)t;
    return false;
}

/* A small answer leaves in one piece: copying it takes less than the kernel takes for a
 * list of two. */
static enum sp_err plain_send(struct sp_transport *t, struct sp_view first,
                              struct sp_view second, size_t *taken)
{
    if (first.len && second.len && first.len + second.len <= JOINED_MAX) {
        memcpy(t->wire->joined, first.data, first.len);
        memcpy(t->wire->joined + first.len, second.data, second.len);
        first = sp_view(t->wire->joined, first.len + second.len);
        second = sp_view(NULL, 0);
    }
    return sp_socket_send(t, first, second, taken);
}

static enum sp_err plain_nothing_to_do(struct sp_transport *t)
{
    return t->broken ? SP_E_IO : SP_OK;
}

static void plain_say_bye(struct sp_transport *t)
{
    (void)t;
}

static bool plain_peer_pin(const struct sp_transport *t, struct sp_pin *out)
{
    (void)t;
    (void)out;
    return false;
}

static enum sp_err plain_peer_certificate(const struct sp_transport *t,
                                          struct sp_buf *out)
{
    (void)t;
    (void)out;
    return SP_OK;
}

static struct sp_handshake plain_handshake_told(const struct sp_transport *t)
{
    (void)t;
    return (struct sp_handshake){.version = "", .sni = ""};
}

static void plain_fini(struct sp_transport *t)
{
    (void)t;
}

static const struct sp_transport_ops plain_ops = {
    .handshake = plain_handshake,
    .recv = plain_recv,
    .has_buffered = plain_has_buffered,
    .send = plain_send,
    .flush = plain_nothing_to_do,
    .park = plain_nothing_to_do,
    .say_bye = plain_say_bye,
    .peer_pin = plain_peer_pin,
    .peer_certificate = plain_peer_certificate,
    .handshake_told = plain_handshake_told,
    .fini = plain_fini,
};

void sp_transport_plain(struct sp_transport *t, struct sp_wire *w, int fd)
{
    *t = (struct sp_transport){.ops = &plain_ops, .wire = w, .fd = fd};
}
