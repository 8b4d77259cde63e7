use std::{fs, process::ExitCode};

use flow::evidence::{self, PublicKey, Trust};

use crate::{cli::EvidenceCommand, failure::Failure, say};

const BUNDLE_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub fn run(command: &EvidenceCommand) -> Result<ExitCode, Failure> {
    let EvidenceCommand::Verify { file, keys } = command;
    let what = format!("the bundle {}", file.display());
    let length = fs::metadata(file).map_err(|error| Failure::start(&what, &error))?.len();
    if length > BUNDLE_BYTES_MAX {
        return Err(Failure::text(format!("{what} is larger than any bundle ({length} bytes).")));
    }
    let bytes = fs::read(file).map_err(|error| Failure::start(&what, &error))?;
    let keys = keys.iter().map(|key| public_key(key)).collect::<Result<Vec<_>, _>>()?;
    let trusted = (!keys.is_empty()).then_some(keys.as_slice());
    match evidence::verify(&bytes, trusted) {
        Ok(verified) => {
            say!("INTACT    every byte of {} is as it was signed", file.display());
            say!("outcome   {}", verified.outcome);
            say!("run       {} of customer {}", verified.run, verified.customer);
            say!("entries   {}", verified.entries);
            match verified.trust {
                Trust::Trusted => say!("key       {} (one of the keys you gave)", verified.key_id),
                Trust::KeyNotChecked => {
                    say!(
                        "key       {} (from the bundle itself: compare it with the one that your provider published)",
                        verified.key_id
                    );
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            say!("NOT INTACT  {}: {}", file.display(), kernel::with_causes(&error));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn public_key(text: &str) -> Result<PublicKey, Failure> {
    let bytes = hex::decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes
        .map(PublicKey)
        .ok_or_else(|| Failure::text(format!("`{text}` is not a public key: it has 64 hexadecimal digits.")))
}
