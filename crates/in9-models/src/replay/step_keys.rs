//! Keys of dropout masks on a GPU, where a captured step finds those of the present step.

use std::cell::RefCell;

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};

/// The dropouts of a step in their order, and two words for each on the device.
#[derive(Default)]
pub(crate) struct StepKeys {
    names: Vec<String>,
    /// `[dropouts, 2]`, u32; none before the names are known.
    words: Option<Tensor>,
}

/// The keys of the pass under way, and the dropout that comes next.
struct Pass {
    keys: StepKeys,
    next: usize,
}

thread_local! {
    static PASS: RefCell<Option<Pass>> = const { RefCell::new(None) };
}

impl StepKeys {
    /// Puts the keys of a step there: `key` gives that of the dropout of this name.
    pub(crate) fn set(&mut self, device: &Device, key: impl Fn(&str) -> u64) -> Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        let keys: Vec<u64> = self.names.iter().map(|name| key(name)).collect();
        let words: Vec<u32> = keys.iter().flat_map(|key| [*key as u32, (key >> 32) as u32]).collect();
        let words = Tensor::from_vec(words, (keys.len(), 2), device)?;
        match &self.words {
            Some(room) => room.slice_set(&words, 0, 0)?,
            None => self.words = Some(words),
        }
        Ok(())
    }

    /// Runs a pass whose dropouts take their keys here; in the first one they leave their names.
    pub(crate) fn during<T>(&mut self, pass: impl FnOnce() -> Result<T>) -> Result<T> {
        PASS.set(Some(Pass { keys: std::mem::take(self), next: 0 }));
        let done = pass();
        if let Some(pass) = PASS.take() {
            *self = pass.keys;
        }
        done
    }
}

/// The key of the next dropout, on the device; none where it is to be a number.
pub(crate) fn next(name: &str) -> Result<Option<Tensor>> {
    PASS.with_borrow_mut(|pass| {
        let Some(Pass { keys, next }) = pass else { return Ok(None) };
        let Some(words) = &keys.words else {
            keys.names.push(name.to_owned());
            return Ok(None);
        };
        if keys.names.get(*next).map(String::as_str) != Some(name) {
            return Err(Error::setting("dropout", "the same layers in each step", name));
        }
        let key = words.narrow(0, *next, 1)?.reshape(2)?;
        *next += 1;
        Ok(Some(key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropouts_leave_their_names_and_find_their_keys() {
        let (mut keys, device) = (StepKeys::default(), Device::Cpu);
        assert!(next("elsewhere").unwrap().is_none());
        let pass = |keys: &mut StepKeys, names: [&str; 2]| {
            keys.during(|| names.into_iter().map(next).collect::<Result<Vec<_>>>())
        };
        keys.set(&device, |_| 0).unwrap();
        assert!(pass(&mut keys, ["a", "b"]).unwrap().iter().all(Option::is_none));
        for step in 1..3u64 {
            keys.set(&device, |name| step << 33 | name.len() as u64).unwrap();
            for key in pass(&mut keys, ["a", "b"]).unwrap() {
                assert_eq!(key.unwrap().to_vec1::<u32>().unwrap(), [1, step as u32 * 2]);
            }
        }
        assert!(pass(&mut keys, ["b", "a"]).is_err());
        assert!(next("a").unwrap().is_none(), "a pass that failed leaves nothing behind");
    }
}
