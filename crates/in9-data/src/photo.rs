//! Decoding photographs and masks, under limits.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use imageproc::contrast::{ThresholdType, threshold_mut};

use crate::limits::Limits;

/// A decoded photograph: width·height·3 bytes, RGB, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Photo {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgb: Vec<u8>,
}

/// Decodes a JPEG or PNG, whatever its name says.
///
/// Grey, 16-bit, palette and CMYK pictures become 8-bit RGB; transparency is dropped; an EXIF
/// rotation is not applied, because boxes are annotated on the pixels as stored.
///
/// The error says in a few words what is wrong.
pub(crate) fn decode(bytes: &[u8], limits: &Limits) -> Result<Photo, String> {
    let image = open(bytes, limits)?;
    let (width, height) = (image.width(), image.height());
    Ok(Photo { width, height, rgb: image.into_rgb8().into_raw() })
}

/// Channels that differ by more than this make a colour; less is what JPEG does to grey.
const COLOUR: u8 = 32;

/// Decodes a mask picture: one byte a pixel, not 0 on the object.
///
/// The object is what is not transparent, in a picture with transparent parts; else what is brighter than half, in a
/// grey picture that has anything so bright; else, in label maps of colours or of small numbers, what is not black.
pub(crate) fn decode_mask(bytes: &[u8], limits: &Limits) -> Result<(u32, u32, Vec<u8>), String> {
    let image = open(bytes, limits)?;
    let (width, height) = (image.width(), image.height());
    if image.color().has_alpha() {
        let rgba = image.to_rgba8();
        if rgba.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
            return Ok((width, height, rgba.pixels().map(|p| u8::from(p.0[3] > 127)).collect()));
        }
    }
    if image.color().has_color() {
        let rgb = image.to_rgb8();
        let spread = |[r, g, b]: [u8; 3]| r.max(g).max(b) - r.min(g).min(b);
        if rgb.pixels().any(|pixel| spread(pixel.0) > COLOUR) {
            let object = |[r, g, b]: [u8; 3]| u8::from(r.max(g).max(b) > COLOUR);
            return Ok((width, height, rgb.pixels().map(|pixel| object(pixel.0)).collect()));
        }
    }
    // Sixteen bits would lose small numbers on their way to eight.
    if let DynamicImage::ImageLuma16(grey) = &image
        && grey.pixels().all(|pixel| pixel.0[0] <= u16::from(u8::MAX))
    {
        return Ok((width, height, grey.pixels().map(|pixel| u8::from(pixel.0[0] > 0)).collect()));
    }
    let mut mask = image.into_luma8();
    let bright = mask.pixels().any(|pixel| pixel.0[0] > 127);
    threshold_mut(&mut mask, if bright { 127 } else { 0 }, ThresholdType::Binary);
    Ok((width, height, mask.into_raw()))
}

/// What the first bytes of a picture say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bytes of a pixel while it is decoded: as the decoder gives it, as RGB, and what a progressive JPEG
    /// keeps of it until its end.
    decoding: u64,
}

impl Header {
    /// Reads the header of a PNG or JPEG from its first bytes, if it is in them. A picture whose header this
    /// does not find is never decoded.
    pub(crate) fn read(start: &[u8]) -> Option<Self> {
        match start {
            [0xff, 0xd8, ..] => Self::of_jpeg(start),
            [0x89, b'P', b'N', b'G', ..] => Self::of_png(start),
            _ => None,
        }
    }

    fn of_png(start: &[u8]) -> Option<Self> {
        let side = |at: usize| Some(u32::from_be_bytes(*start.get(at..)?.first_chunk()?));
        let (width, height) = (side(16)?, side(20)?);
        let channels = match start.get(25)? {
            0 => 1,
            4 => 2,
            2 => 3,
            // A palette may hold transparent colours.
            _ => 4,
        };
        let bytes = if *start.get(24)? == 16 { 2 } else { 1 };
        Some(Self { width, height, decoding: channels * bytes + 3 })
    }

    fn of_jpeg(start: &[u8]) -> Option<Self> {
        let mut at = 2;
        loop {
            while start.get(at)? == &0xff && start.get(at + 1)? == &0xff {
                at += 1;
            }
            let &[0xff, code] = start.get(at..)?.first_chunk()? else { return None };
            match code {
                0x01 | 0xd0..=0xd8 => at += 2,
                // A frame: length, precision, height, width, components.
                0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&code) => {
                    let &[_, _, _, a, b, c, d, components] = start.get(at + 2..)?.first_chunk()?;
                    let [height, width] = [[a, b], [c, d]].map(|side| u32::from(u16::from_be_bytes(side)));
                    let coefficients = if code == 0xc2 { 2 * u64::from(components) } else { 0 };
                    return Some(Self { width, height, decoding: 2 * 4 + coefficients });
                }
                0xd9 | 0xda => return None,
                _ => at += 2 + usize::from(u16::from_be_bytes(*start.get(at + 2..)?.first_chunk()?)),
            }
        }
    }

    /// Pixels.
    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Bytes that the picture takes while it is decoded.
    pub(crate) fn decoding(&self) -> u64 {
        self.pixels().saturating_mul(self.decoding)
    }
}

fn open(bytes: &[u8], limits: &Limits) -> Result<DynamicImage, String> {
    if bytes.is_empty() {
        return Err("expected a JPEG or PNG, found an empty file".into());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    match reader.format() {
        Some(ImageFormat::Jpeg) if !jpeg_is_complete(bytes) => {
            return Err("the JPEG is cut short: expected an end marker, found the end of the file".into());
        }
        Some(ImageFormat::Png) if !png_is_complete(bytes) => {
            return Err("the PNG is cut short: expected an end chunk, found the end of the file".into());
        }
        Some(ImageFormat::Jpeg | ImageFormat::Png) => {}
        _ => {
            let start = &bytes[..bytes.len().min(8)];
            return Err(format!("neither JPEG nor PNG: expected the start of one, found {start:02x?}"));
        }
    }
    let mut decoder_limits = image::Limits::default();
    decoder_limits.max_image_width = Some(limits.photo_side);
    decoder_limits.max_image_height = Some(limits.photo_side);
    // The widest pixel a decoder makes is 8 bytes (16-bit RGBA).
    decoder_limits.max_alloc = Some(limits.photo_pixels.saturating_mul(8));
    reader.limits(decoder_limits);
    let undecodable = |e: image::ImageError| format!("expected a picture that can be decoded, found: {e}");
    let decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > limits.photo_pixels {
        return Err(format!("expected at most {} pixels, found {width}x{height}", limits.photo_pixels));
    }
    // What a picture takes was reckoned from this header before the picture was decoded.
    let header = Header::read(bytes).map(|header| (header.width, header.height));
    if header != Some((width, height)) {
        return Err(format!("expected a header of {width}x{height}, found {header:?}"));
    }
    DynamicImage::from_decoder(decoder).map_err(undecodable)
}

/// Whether a JPEG's segments lead from its start to its end marker.
///
/// Decoders fill what is missing with grey and say nothing, so a photograph that was cut short must
/// be found by its structure.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        // A marker: 0xFF, any number of fill bytes 0xFF, a code.
        while bytes.get(at) == Some(&0xff) && bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        let (Some(&0xff), Some(&code)) = (bytes.get(at), bytes.get(at + 1)) else { return false };
        at += 2;
        match code {
            0xd9 => return true,
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some(&[high, low]) = bytes.get(at..at + 2) else { return false };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 2 {
            return false;
        }
        at += length;
        if code == 0xda {
            // Entropy-coded data: to the next marker that is neither a stuffed zero nor a restart.
            loop {
                let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == 0xff))
                else {
                    return false;
                };
                at += found;
                match bytes.get(at + 1) {
                    Some(0x00 | 0xd0..=0xd7) => at += 2,
                    Some(0xff) => at += 1,
                    Some(_) => break,
                    None => return false,
                }
            }
        }
    }
}

/// Whether a PNG's chunks lead from its start to its end chunk.
fn png_is_complete(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some(&[a, b, c, d]) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(end) = length.checked_add(at + 12).filter(|&end| end <= bytes.len()) else { return false };
        if bytes[at + 4..at + 8] == *b"IEND" {
            return true;
        }
        at = end;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageEncoder, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let pixels: Vec<u8> = (0..width * height * 3).map(|i| (i * 13 % 251) as u8).collect();
        let mut bytes = Vec::new();
        JpegEncoder::new(&mut bytes)
            .write_image(&pixels, width, height, image::ExtendedColorType::Rgb8)
            .unwrap();
        bytes
    }

    fn png(width: u32, height: u32, colour: image::ExtendedColorType, channels: u32) -> Vec<u8> {
        let pixels = vec![200; (width * height * channels) as usize];
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(&pixels, width, height, colour).unwrap();
        bytes
    }

    #[test]
    fn every_truncation_of_a_photograph_is_noticed() {
        for whole in [jpeg(33, 20), png(33, 20, image::ExtendedColorType::Rgb8, 3)] {
            assert_eq!(decode(&whole, &Limits::default()).unwrap().width, 33);
            let header = Header::read(&whole).unwrap();
            assert_eq!((header.width, header.height), (33, 20));
            assert!(header.decoding() >= 33 * 20 * 6);
            for end in 0..16 {
                let error = decode(&whole[..whole.len() * end / 16], &Limits::default());
                assert!(error.is_err(), "{end}/16");
            }
        }
    }

    #[test]
    fn odd_kinds_of_picture_are_read_as_rgb() {
        use image::ExtendedColorType as Colour;
        for (colour, channels) in [(Colour::L8, 1), (Colour::L16, 2), (Colour::Rgba8, 4), (Colour::Rgb16, 6)]
        {
            let photo = decode(&png(3, 2, colour, channels), &Limits::default()).unwrap();
            assert_eq!(photo.rgb, [200; 18], "{colour:?}");
        }
        assert_eq!(decode(&jpeg(1, 1), &Limits::default()).unwrap().rgb.len(), 3);
    }

    #[test]
    fn masks_are_read_in_any_usual_form() {
        use image::ExtendedColorType as Colour;
        let mask = |colour, pixels: &[u8]| {
            let mut bytes = Vec::new();
            PngEncoder::new(&mut bytes).write_image(pixels, 4, 1, colour).unwrap();
            let (width, height, mask) = decode_mask(&bytes, &Limits::default()).unwrap();
            assert_eq!((width, height), (4, 1));
            mask.into_iter().map(|pixel| pixel != 0).collect::<Vec<_>>()
        };
        let object = [false, true, true, false];
        // Black and white, softened at an edge.
        assert_eq!(mask(Colour::L8, &[100, 255, 200, 0]), object);
        // Zeros and ones; numbers of instances; both in sixteen bits.
        assert_eq!(mask(Colour::L8, &[0, 1, 1, 0]), object);
        assert_eq!(mask(Colour::L8, &[0, 3, 17, 0]), object);
        assert_eq!(mask(Colour::L16, &[0, 0, 1, 0, 3, 0, 0, 0].map(|b: u8| b)), object.map(|o| o));
        // A label map in VOC's colours: dark red, dark green.
        assert_eq!(mask(Colour::Rgb8, &[0, 0, 0, 128, 0, 0, 0, 64, 0, 0, 0, 0]), object);
        // An object cut out: transparent around it, whatever colour lies there.
        let cut = [255, 255, 255, 0, 9, 9, 9, 255, 0, 0, 0, 255, 255, 255, 255, 0];
        assert_eq!(mask(Colour::Rgba8, &cut), object);
        // Nothing transparent: black and white as ever.
        let opaque = [0, 0, 0, 255, 255, 255, 255, 255, 250, 251, 252, 255, 5, 0, 0, 255];
        assert_eq!(mask(Colour::Rgba8, &opaque), object);
        assert_eq!(mask(Colour::L8, &[0; 4]), [false; 4]);
    }

    #[test]
    fn limits_come_before_memory() {
        let limits = Limits { photo_pixels: 100, ..Limits::default() };
        assert!(decode(&jpeg(11, 10), &limits).unwrap_err().contains("at most 100 pixels"));
        // A PNG header that promises 4 billion pixels.
        let mut lying = png(4, 4, image::ExtendedColorType::L8, 1);
        lying[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        let crc = crc32fast::hash(&lying[12..29]).to_be_bytes();
        lying[29..33].copy_from_slice(&crc);
        assert!(decode(&lying, &Limits::default()).is_err());
        assert!(decode(b"", &limits).unwrap_err().contains("empty"));
        assert!(decode(b"GIF89a", &limits).unwrap_err().contains("neither JPEG nor PNG"));
    }
}
