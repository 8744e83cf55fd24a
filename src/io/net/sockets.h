/* Listening sockets that somebody else opened, taken over so that nobody who connects
 * meanwhile is refused: from a service manager, from the daemon before this one, or by
 * this one when it still had the right to.
 *
 * Knows: which address a socket is bound to. Refuses to know: who gave it. */
#ifndef SP_IO_NET_SOCKETS_H
#define SP_IO_NET_SOCKETS_H

#include "sallyport/bytes.h"

#include <sys/socket.h>

enum { SP_SOCKETS = 253 }; /* what one message of Linux carries, SCM_MAX_FD */
struct sp_sockets {
    struct {
        int fd; /* owned until it is taken */
        bool taken;
    } at[SP_SOCKETS];
    size_t count;
};
/* Takes fd over. What is no listening TCP socket, or one too many, is closed: false. */
bool sp_sockets_add(struct sp_sockets *s, int fd);
/* Opens sockets for a listener until count of them wait in s, so that who takes them need
 * not be allowed to any more. They are bound and do not listen yet: nobody's connection
 * goes astray when the program ends before that. What needs no permission (port 0) or has
 * no room is left out. Errors: those of sp_server_new. */
enum sp_err sp_sockets_open(struct sp_sockets *s, const char *bind, size_t count,
                            struct sp_why *why) SP_MUST_USE;
/* Closes what nobody took; how many these were. */
size_t sp_sockets_close(struct sp_sockets *s);
/* "0.0.0.0:8531" of the i-th, as configurations write it; text has room for 64 bytes. */
void sp_sockets_name(const struct sp_sockets *s, size_t i, char text[64]);

/* A message that carries sockets beside its text. */
struct sp_socket_message {
    struct msghdr head; /* what sendmsg and recvmsg take */
    struct iovec text;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(SP_SOCKETS * sizeof(int))];
};
/* text is borrowed; count is at most SP_SOCKETS and may be 0. */
void sp_sockets_message(struct sp_socket_message *m, char *text, size_t len,
                        const int *fds, size_t count);
/* Room for text of len bytes and as many sockets as there may be. */
void sp_sockets_room(struct sp_socket_message *m, char *text, size_t len);
/* Those of a message that was received, added to s. */
void sp_sockets_unpack(struct sp_socket_message *m, struct sp_sockets *s);

#endif
