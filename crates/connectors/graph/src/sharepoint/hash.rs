//! quickXorHash: the hash that SharePoint names for every file. 160 bits, each byte XORed in 11 bits further on, the length
//! over the last eight bytes. It finds broken transfers, not forgeries.
use base64::{Engine as _, engine::general_purpose::STANDARD};

const BYTES: usize = 20;
const BITS: usize = BYTES * 8;
const SHIFT_BITS: usize = 11;

#[derive(Clone, Debug, Default)]
pub struct QuickXorHash {
    cells: [u8; BYTES],
    length_bytes: u64,
    at_bit: usize,
}

impl QuickXorHash {
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let (cell, bit) = (self.at_bit / 8, self.at_bit % 8);
            let wide = u16::from(*byte) << bit;
            let [low, high] = wide.to_le_bytes();
            self.cells[cell] ^= low;
            self.cells[(cell + 1) % BYTES] ^= high;
            self.at_bit = (self.at_bit + SHIFT_BITS) % BITS;
        }
        self.length_bytes += bytes.len() as u64;
    }

    /// In Base64, as Graph writes it.
    pub fn finish(mut self) -> String {
        let length = self.length_bytes.to_le_bytes();
        for (cell, byte) in self.cells[BYTES - length.len()..].iter_mut().zip(length) {
            *cell ^= byte;
        }
        STANDARD.encode(self.cells)
    }

    pub fn of(bytes: &[u8]) -> String {
        let mut hash = Self::default();
        hash.update(bytes);
        hash.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vectors() {
        assert_eq!(QuickXorHash::of(b""), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        for (bytes, hash) in [
            ("Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="),
            ("tbQ=", "taAFAAAAAAAAAAAAAgAAAAAAAAA="),
            ("0pZP", "0rDEEwAAAAAAAAAAAwAAAAAAAAA="),
        ] {
            assert_eq!(QuickXorHash::of(&STANDARD.decode(bytes).unwrap()), hash);
        }
    }

    #[test]
    fn pieces_and_the_whole_agree_and_every_bit_counts() {
        let bytes: Vec<u8> = (0..5_000_u32).map(|n| n.to_le_bytes()[0] ^ 0x5a).collect();
        let whole = QuickXorHash::of(&bytes);
        let mut pieces = QuickXorHash::default();
        bytes.chunks(37).for_each(|piece| pieces.update(piece));
        assert_eq!(pieces.finish(), whole);
        for at in [0, 13, 159, 160, 4_999] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_ne!(QuickXorHash::of(&other), whole, "{at}");
        }
        assert_ne!(QuickXorHash::of(&bytes[..4_999]), whole);
    }
}
