/*
 * Validate certification paths with Java's PKIX CertPathValidator, every
 * certificate's revocation status taken from the CRLs given:
 *
 *     java Verify.java ROOT [ISSUER...] CERTIFICATE -- CRL...
 *
 * Without arguments, one such line for each path from the standard input, a word
 * that names it in front, and in front of its verdict.
 *
 * Exit status 0: all are valid; 1: one is not, and why; 2: a wrong call.
 */
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.security.cert.CRL;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;

public class Verify {
	private static X509Certificate certificate(CertificateFactory factory,
	    String name) throws Exception {
		try (InputStream in = new FileInputStream(name)) {
			return (X509Certificate)factory.generateCertificate(in);
		}
	}

	private static CRL crl(CertificateFactory factory, String name)
	    throws Exception {
		try (InputStream in = new FileInputStream(name)) {
			return factory.generateCRL(in);
		}
	}

	private static void validate(X509Certificate root,
	    List<X509Certificate> path, List<CRL> crls,
	    CertificateFactory factory) throws Exception {
		PKIXParameters parameters =
		    new PKIXParameters(Set.of(new TrustAnchor(root, null)));
		CertPath certPath = factory.generateCertPath(path);

		parameters.setRevocationEnabled(true);
		parameters.addCertStore(CertStore.getInstance(
		    "Collection", new CollectionCertStoreParameters(crls)));
		CertPathValidator.getInstance("PKIX").validate(
		    certPath, parameters);
	}

	/* "valid", or the reason why it is not. */
	private static String verdict(String[] args) throws Exception {
		CertificateFactory factory =
		    CertificateFactory.getInstance("X.509");
		List<X509Certificate> path = new ArrayList<>();
		List<CRL> crls = new ArrayList<>();
		boolean behind = false;
		X509Certificate root = null;

		for (String name : args) {
			if (name.equals("--"))
				behind = true;
			else if (behind)
				crls.add(crl(factory, name));
			else if (root == null)
				root = certificate(factory, name);
			else
				path.add(certificate(factory, name));
		}
		if (root == null || path.isEmpty()) {
			System.err.println(
			    "usage: Verify ROOT [ISSUER...] CERTIFICATE -- CRL...");
			System.exit(2);
		}
		Collections.reverse(path); /* the certificate first */
		try {
			validate(root, path, crls, factory);
		} catch (CertPathValidatorException e) {
			return e.getReason() + ": " + e.getMessage();
		}
		return "valid";
	}

	private static boolean all(InputStream in) throws Exception {
		BufferedReader lines =
		    new BufferedReader(new InputStreamReader(in));
		boolean valid = true;
		String line;

		while ((line = lines.readLine()) != null) {
			String[] words = line.trim().split(" +");
			String verdict = verdict(
			    Arrays.copyOfRange(words, 1, words.length));

			System.out.println(words[0] + " " + verdict);
			valid = valid && verdict.equals("valid");
		}
		return valid;
	}

	public static void main(String[] args) throws Exception {
		if (args.length == 0)
			System.exit(all(System.in) ? 0 : 1);
		String verdict = verdict(args);

		System.out.println(verdict);
		System.exit(verdict.equals("valid") ? 0 : 1);
	}
}
