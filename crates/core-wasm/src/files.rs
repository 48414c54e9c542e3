//! The sealing and opening of files for the browser. The worker reads, sends and stores the bytes; no logic lives here.

use js_sys::{Error, Object, Uint8Array};
use kabar_core::media::{self, FileError};
use kabar_protocol::{file, wire};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const HASHES: &str = r#"
/** What a message says of the bytes of its file. */
export interface FileHashes { sha256: Uint8Array<ArrayBuffer>; ciphertext_sha256: Uint8Array<ArrayBuffer> }
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "FileHashes")]
    pub type Hashes;

    /// A chunk in memory of JavaScript's own.
    #[wasm_bindgen(typescript_type = "Uint8Array<ArrayBuffer>")]
    pub type Chunk;
}

#[wasm_bindgen]
pub struct FileSealer(media::FileSealer);

#[wasm_bindgen]
impl FileSealer {
    #[wasm_bindgen(constructor)]
    pub fn new(key: &[u8], size_bytes: f64) -> Result<Self, JsValue> {
        let sealer = media::FileSealer::new(key, crate::whole(size_bytes)).map_err(thrown)?;
        Ok(Self(sealer))
    }

    pub fn wants(&self) -> Option<usize> {
        self.0.wants()
    }

    pub fn seal(&mut self, bytes: &[u8]) -> Result<Chunk, JsValue> {
        self.0.seal(bytes).map(|sealed| chunk(&sealed)).map_err(thrown)
    }

    pub fn finish(self) -> Result<Hashes, JsValue> {
        let hashes = self.0.finish().map_err(thrown)?;
        let object = Object::new();
        crate::set(&object, "sha256", &crate::array(&hashes.sha256));
        crate::set(&object, "ciphertext_sha256", &crate::array(&hashes.ciphertext_sha256));
        Ok(object.unchecked_into())
    }
}

#[wasm_bindgen]
pub struct FileOpener(media::FileOpener);

#[wasm_bindgen]
impl FileOpener {
    #[wasm_bindgen(constructor)]
    pub fn new(key: &[u8], size_bytes: f64, sha256: &[u8], ciphertext_sha256: &[u8]) -> Result<Self, JsValue> {
        let file = wire::File {
            key: key.to_vec().into(),
            size_bytes: crate::whole(size_bytes),
            sha256: sha256.to_vec().into(),
            ciphertext_sha256: ciphertext_sha256.to_vec().into(),
            ..wire::File::default()
        };
        let opener = media::FileOpener::new(&file).map_err(thrown)?;
        Ok(Self(opener))
    }

    pub fn wants(&self) -> Option<usize> {
        self.0.wants()
    }

    pub fn open(&mut self, sealed: &[u8]) -> Result<Chunk, JsValue> {
        self.0.open(sealed).map(|opened| chunk(&opened)).map_err(thrown)
    }

    pub fn finish(self) -> Result<(), JsValue> {
        self.0.finish().map_err(thrown)
    }
}

/// A name that a message may carry.
#[wasm_bindgen(js_name = safeFileName)]
pub fn safe_file_name(name: &str) -> String {
    file::safe_name(name)
}

fn chunk(bytes: &[u8]) -> Chunk {
    JsValue::from(Uint8Array::from(bytes)).unchecked_into()
}

fn thrown(error: FileError) -> JsValue {
    Error::new(&error.to_string()).into()
}
