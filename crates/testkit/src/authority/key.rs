//! Keys of an authority, and signatures by them: right ones, and every kind of wrong one.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{encoding, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// As Entra does it.
    Rs256,
    /// With another hash.
    Rs384,
    /// With another padding.
    Ps256,
    /// With a key of another kind.
    Es256,
    /// With the public key as the secret.
    Hs256,
    /// Zeros.
    None,
}

/// An RSA key of 2048 bits with a name.
#[derive(Debug)]
pub struct Key {
    number: usize,
    pair: RsaKeyPair,
}

impl Key {
    /// The key of this number: made once in a process, because that takes a while.
    ///
    /// # Panics
    /// Without randomness there are no keys and no tests.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test cannot go on without keys")]
    pub fn numbered(number: usize) -> Arc<Self> {
        static MADE: LazyLock<Mutex<BTreeMap<usize, Arc<Key>>>> = LazyLock::new(Mutex::default);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = made.entry(number).or_insert_with(|| {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            Arc::new(Self { number, pair })
        });
        key.clone()
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> String {
        format!("key-{}", self.number)
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Its entry in a key document.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let (modulus, exponent) = self.numbers();
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid(),
            "x5t": self.kid(),
            "n": URL_SAFE_NO_PAD.encode(modulus),
            "e": URL_SAFE_NO_PAD.encode(exponent),
            "x5c": ["MIIC"],
        })
    }

    fn numbers(&self) -> (Vec<u8>, Vec<u8>) {
        // In DER: a sequence of two numbers. With 2048 bits all lengths are the same for all keys: nine bytes, 256 of the
        // modulus, two more, and three of the exponent.
        let der = self.pair.public_key().as_ref();
        (der[9..265].to_vec(), der[267..].to_vec())
    }

    /// The header of its tokens.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({"typ": "JWT", "alg": "RS256", "kid": self.kid()})
    }

    /// A token as Entra makes it.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&self.header(), claims)
    }

    /// A token with another header, and a signature that is right all the same.
    #[must_use]
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of(
            header.to_string().as_bytes(),
            claims.to_string().as_bytes(),
            Algorithm::Rs256,
        )
    }

    /// A token of any bytes, signed in any way.
    #[must_use]
    pub fn token_of(&self, header: &[u8], claims: &[u8], algorithm: Algorithm) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.signature(signed.as_bytes(), algorithm);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A signature.
    ///
    /// # Panics
    /// Signing with a good key does not fail.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test cannot go on without a signature")]
    pub fn signature(&self, signed: &[u8], algorithm: Algorithm) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |padding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; self.pair.public_modulus_len()];
            self.pair
                .sign(padding, &random, signed, &mut signature)
                .expect("a signature");
            signature
        };
        match algorithm {
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&RSA_PKCS1_SHA384),
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
                pair.sign(&random, signed).expect("a signature").as_ref().to_vec()
            }
            Algorithm::Hs256 => {
                let public = encoding::AsDer::<encoding::PublicKeyX509Der<'_>>::as_der(self.pair.public_key());
                let public = public.expect("a public key");
                let secret = hmac::Key::new(hmac::HMAC_SHA256, public.as_ref());
                hmac::sign(&secret, signed).as_ref().to_vec()
            }
            Algorithm::None => vec![0; self.pair.public_modulus_len()],
        }
    }
}
