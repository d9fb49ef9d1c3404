#include "card-support.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/text.h"

static const char *token_name;

static void
make_in_child(const char *dir)
{
	close_token(make_token(open_embedded(dir), token_name));
}

void
card_make(const char *dir, const char *name)
{
	const char *path = in_dir(dir, name);

	CHECK(mkdir(path, 0700) == 0);
	token_name = name;
	in_child(make_in_child, path);
}

static void
serve(const char *conf, const char *socket_path, const char *name)
{
	AUTO_CHARS(token) = text_printf("pkcs11:token=%s", name);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* One group, so that the processes of its connections end with it. */
	CHECK(setpgid(0, 0) == 0);
	CHECK(token != NULL && setenv("SOFTHSM2_CONF", conf, 1) == 0);
	CHECK(freopen("/dev/null", "w", stdout) != NULL);
	(void)execlp("p11-kit", "p11-kit", "server", "-f", "--provider",
	    softhsm_library(), "-n", socket_path, token, (char *)NULL);
	check_failed(__FILE__, __LINE__, "p11-kit cannot be run");
}

static bool
answers(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_FD(fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	CHECK(strlen(socket_path) < sizeof(address.sun_path));
	strcpy(address.sun_path, socket_path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

void
server_start(const char *dir, const char *name, struct server *ret_server)
{
	AUTO_CHARS(socket_path) = text_printf("%s/%s.sock", dir, name);
	AUTO_CHARS(conf) = text_printf("%s/%s/softhsm2.conf", dir, name);
	unsigned tries = 0;

	CHECK(socket_path != NULL && conf != NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)unlink(socket_path);
	(void)fflush(NULL);
	ret_server->pid = fork();
	CHECK(ret_server->pid >= 0);
	if (ret_server->pid == 0)
		serve(conf, socket_path, name);
	for (; !answers(socket_path); tries++) {
		CHECK(tries < 1000);
		(void)usleep(10000);
	}
	CHECK(snprintf(ret_server->uri, sizeof(ret_server->uri),
		  "pkcs11:token=%s?module-path=%s&x-server-address="
		  "unix:path%%3D%s",
		  name, P11_KIT_CLIENT,
		  socket_path) < (int)sizeof(ret_server->uri));
}

void
server_stop(struct server *server)
{
	int status = 0;

	CHECK(kill(-server->pid, SIGKILL) == 0);
	CHECK(waitpid(server->pid, &status, 0) == server->pid);
	server->pid = 0;
}

const char *
direct_uri(const char *dir, const char *name)
{
	static char uri[512];
	AUTO_CHARS(conf) = text_printf("%s/%s/softhsm2.conf", dir, name);

	CHECK(conf != NULL && setenv("SOFTHSM2_CONF", conf, 1) == 0);
	CHECK(snprintf(uri, sizeof(uri), "pkcs11:token=%s?module-path=%s", name,
		  softhsm_library()) < (int)sizeof(uri));
	return uri;
}

struct card *
must_open(const char *uri, struct module *in_use)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct card *card = NULL;

	CHECK(card_open(uri, in_use, &card) == 0);
	CHECK(card_login(card, &pin) == 0);
	return card;
}

static void
add_usage(X509 *certificate, int usage_bit)
{
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();

	CHECK(ASN1_BIT_STRING_set_bit(usage, usage_bit, 1) == 1);
	CHECK(X509_add1_ext_i2d(certificate, NID_key_usage, usage, 1,
		  X509V3_ADD_DEFAULT) == 1);
	ASN1_BIT_STRING_free(usage);
}

X509 *
certificate_of(EVP_PKEY *key, const char *name, int usage_bit)
{
	AUTO(EVP_PKEY) *issuer = EVP_EC_gen("P-256");
	AUTO(EVP_PKEY) *public = NULL;
	AUTO_DER(spki) = NULL;
	AUTO_DER(der) = NULL;
	AUTO(X509) *certificate = X509_new();
	X509_NAME *subject = NULL;
	int len = i2d_PUBKEY(key, &spki);
	const unsigned char *p = spki;

	CHECK(len > 0 && issuer != NULL && certificate != NULL);
	public = d2i_PUBKEY(NULL, &p, len);
	CHECK(X509_set_version(certificate, X509_VERSION_3) == 1);
	CHECK(X509_set_pubkey(certificate, public) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7) == 1);
	subject = X509_get_subject_name(certificate);
	CHECK(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
		  (const unsigned char *)name, -1, -1, 0) == 1);
	CHECK(X509_set_issuer_name(certificate, subject) == 1);
	CHECK(X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL);
	CHECK(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) != NULL);
	if (usage_bit >= 0)
		add_usage(certificate, usage_bit);
	CHECK(X509_sign(certificate, issuer, EVP_sha256()) > 0);
	len = i2d_X509(certificate, &der);
	p = der;
	return d2i_X509(NULL, &p, len);
}

void
must_sign(EVP_PKEY *key, X509 *certificate)
{
	static const unsigned char text[] = "a text that is signed";
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	AUTO(EVP_MD_CTX) *verify = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);

	CHECK(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	CHECK(EVP_DigestSign(ctx, signature, &len, text, sizeof(text)) == 1);
	CHECK(EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL,
		  X509_get0_pubkey(certificate)) == 1);
	CHECK(
	    EVP_DigestVerify(verify, signature, len, text, sizeof(text)) == 1);
}

void
must_sign_cms(EVP_PKEY *key, X509 *certificate)
{
	AUTO(BIO) *content = BIO_new_mem_buf("some content", -1);
	AUTO(BIO) *again = BIO_new_mem_buf("some content", -1);
	AUTO(CMS_ContentInfo) *cms = CMS_sign(certificate, key, NULL, content,
	    CMS_DETACHED | CMS_BINARY | CMS_NOCERTS);
	STACK_OF(X509) *signers = sk_X509_new_null();

	CHECK(cms != NULL && sk_X509_push(signers, certificate) == 1);
	CHECK(CMS_verify(cms, signers, NULL, again, NULL,
		  CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN) == 1);
	sk_X509_free(signers);
}

/* As shares are sealed. */
static CMS_ContentInfo *
seal(X509 *certificate, const char *text)
{
	AUTO(BIO) *content = BIO_new_mem_buf(text, -1);
	CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
	CMS_RecipientInfo *recipient = NULL;
	EVP_PKEY_CTX *ctx = NULL;

	CHECK(cms != NULL);
	recipient = CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM);
	CHECK(recipient != NULL);
	ctx = CMS_RecipientInfo_get0_pkey_ctx(recipient);
	if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_TRANS)
		CHECK(EVP_PKEY_CTX_set_rsa_padding(
			  ctx, RSA_PKCS1_OAEP_PADDING) == 1);
	CHECK(CMS_set_detached(cms, 0) == 1);
	CHECK(CMS_final(cms, content, NULL, CMS_BINARY) == 1);
	return cms;
}

void
must_decrypt_cms(EVP_PKEY *key, X509 *certificate)
{
	static const char text[] = "what only this key may read";
	AUTO(CMS_ContentInfo) *cms = seal(certificate, text);
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	char *data = NULL;

	CHECK(CMS_decrypt(cms, key, certificate, NULL, out, CMS_BINARY) == 1);
	CHECK(BIO_get_mem_data(out, &data) == (long)strlen(text));
	CHECK(memcmp(data, text, strlen(text)) == 0);
}
