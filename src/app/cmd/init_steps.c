#include "app/base/say.h"
#include "app/cmd/init.h"

#include <stdio.h>

static void say_certificate(const struct sp_init *i)
{
    if (i->kind == SP_INIT_OWN_CA) {
        printf(
            _("\n0. Let the Windows machines trust %s/tls/gate-ca.pem:\n"
              "   group policy > Public Key Policies > Trusted Root Certification\n"
              "   Authorities, or certutil -addstore Root gate-ca.pem on each of "
              "them.\n"
              "   Keep gate-ca.key somewhere safe: it is needed again when gate.pem\n"
              "   ends, in 397 days.\n"),
            i->directory);
    } else if (i->kind == SP_INIT_REQUEST) {
        printf(
            _("\n0. Have %s/tls/gate.csr signed by your CA as a Web Server\n"
              "   certificate (AD CS: certreq -submit -attrib CertificateTemplate:"
              "WebServer gate.csr),\n"
              "   and put it, with its intermediates behind it, to %s/tls/gate.pem.\n"
              "   Then: sallyport config check -c %s/sallyport.conf\n"),
            i->directory, i->directory, i->directory);
    }
}

void sp_init_say(const struct sp_init *i)
{
    const char *name = i->names[0];
    unsigned port = i->port;
    printf(_("\n%s/sallyport.conf is written.\n"), i->directory);
    say_certificate(i);
    printf(_("\n1. Start it:\n"
             "   sallyport run -c %s/sallyport.conf\n"
             "   and look at http://127.0.0.1:%u/\n"),
           i->directory, port + 1);
    printf(
        _("\n2. A downstream WSUS server, in PowerShell:\n"
          "   Set-WsusServerSynchronization -UssServerName %s `\n"
          "       -PortNumber %u -UseSsl\n"
          "   A ConfigMgr software update point: Sync Settings > Synchronize from an\n"
          "   upstream data source location > https://%s:%u\n"),
        name, port, name, port);
    printf(
        _("\n3. Clients, by group policy: Windows Components > Windows Update >\n"
          "   Specify intranet Microsoft update service location. All three "
          "addresses:\n"
          "     WUServer                   https://%s:%u\n"
          "     WUStatusServer             https://%s:%u\n"
          "     UpdateServiceUrlAlternate  https://%s:%u\n"
          "   below HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate, and\n"
          "     AU\\UseWUServer             1\n"),
        name, port, name, port, name, port);
    printf(
        _("\nPorts %u (TLS) and %u (verified files) have to be open. Plain HTTP is\n"
          "observed for now: sallyport status says who still uses it; then plain_http\n"
          "= \"audit\", then \"enforce\".\n"),
        port, port - 1);
}
