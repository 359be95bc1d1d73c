//! The objects of a PDF file (ISO 32000-1), and the table of their places.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::plain;

/// A PDF file being written. Objects are numbered from 1 in the order in which they are written.
pub(super) struct File {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl File {
    pub(super) fn new() -> Self {
        // Four bytes above 127 tell those who pass the file on that it is no text.
        Self { bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), places: Vec::new() }
    }

    /// Writes an object and returns its number.
    pub(super) fn object(&mut self, body: &str) -> usize {
        self.raw(body.as_bytes())
    }

    fn raw(&mut self, body: &[u8]) -> usize {
        self.places.push(self.bytes.len());
        let number = self.places.len();
        self.bytes.extend(format!("{number} 0 obj\n").as_bytes());
        self.bytes.extend(body);
        self.bytes.extend(b"\nendobj\n");
        number
    }

    /// Writes bytes, compressed, as a stream with these further entries of its dictionary, and returns its number.
    pub(super) fn stream(&mut self, entries: &str, bytes: &[u8]) -> usize {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        // Writing into memory cannot fail.
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default();
        let mut body =
            format!("<</Filter /FlateDecode /Length {} {entries}>>\nstream\n", packed.len()).into_bytes();
        body.extend(packed);
        body.extend(b"\nendstream");
        self.raw(&body)
    }

    /// Ends the file with its one page: `[width, height]` in points, the number of its content, its resources and title.
    pub(super) fn page(
        mut self,
        [width, height]: [f64; 2],
        content: usize,
        resources: &str,
        title: &str,
    ) -> Vec<u8> {
        let pages = self.places.len() + 2;
        let page = self.object(&format!(
            "<</Type /Page /Parent {pages} 0 R /MediaBox [0 0 {width} {height}] /Contents {content} 0 R \
             /Resources {resources} /Group <</S /Transparency /CS /DeviceRGB>>>>"
        ));
        self.object(&format!("<</Type /Pages /Kids [{page} 0 R] /Count 1>>"));
        let catalog = self.object(&format!("<</Type /Catalog /Pages {pages} 0 R>>"));
        let about = self.object(&format!("<</Title <FEFF{}> /Producer (in9-report)>>", utf16(&plain(title))));
        let (start, count) = (self.bytes.len(), self.places.len() + 1);
        let mut end = format!("xref\n0 {count}\n0000000000 65535 f \n");
        for place in &self.places {
            end += &format!("{place:010} 00000 n \n");
        }
        end += &format!(
            "trailer\n<</Size {count} /Root {catalog} 0 R /Info {about} 0 R>>\nstartxref\n{start}\n%%EOF\n"
        );
        self.bytes.extend(end.as_bytes());
        self.bytes
    }
}

/// A text as hexadecimal digits of UTF-16, the higher byte first.
pub(super) fn utf16(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("{unit:04X}")).collect()
}
