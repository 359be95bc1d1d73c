//! The library's errors in the words of a command line: which flag settles them.

use in9_base::shell::one_line;

use crate::error::Error;

/// Settings whose flag is called as their field.
const FLAGS: [&str; 32] = [
    "accumulate",
    "attack_step_size",
    "attack_steps",
    "batch_size",
    "device",
    "epochs",
    "epsilon",
    "fraction",
    "fresh_pairings",
    "group",
    "group_adjustment",
    "group_step",
    "groups",
    "k",
    "l2",
    "label_smoothing",
    "lr",
    "mapping",
    "momentum",
    "nesterov",
    "normalization",
    "prompts",
    "retrainings",
    "scale",
    "size",
    "step_epochs",
    "step_factor",
    "temperature",
    "tokenizer",
    "view",
    "warmup",
    "weight_decay",
];

/// An error of the library, with the flag that is at fault or settles it; all others as they are.
pub fn name_flags(error: anyhow::Error) -> anyhow::Error {
    let Some(fault) = error.chain().find_map(own) else { return error };
    let line = one_line(&error);
    let said = fault.to_string();
    let advice = match fault {
        Error::Setting { name, .. } if FLAGS.contains(&name.as_str()) => {
            let flag = format!("--{}{}", name.replace('_', "-"), &said[name.len()..]);
            return anyhow::anyhow!("{}", line.replace(&said, &flag));
        }
        Error::Setting { name, .. } if name == "samples" => "choose another --data, --split or --fraction",
        Error::Device { .. } => {
            let flag = format!("--device {said}; --device cpu works everywhere");
            return anyhow::anyhow!("{}", line.replace(&said, &flag));
        }
        Error::MissingFeature { feature: "onnx", .. } => {
            "`cargo install --path crates/in9 --features onnx` installs one that has it"
        }
        Error::UnknownArchitecture { .. } => "`in9-models list` shows all",
        Error::EvaluationOnly(_) => "`in9-models list` shows others for --arch",
        Error::UnknownWeights { .. } => {
            "--weights takes one of the three; `in9-models list` shows what is published"
        }
        Error::ArchitectureUnknown(_) => "name it with --arch",
        Error::OtherArchitecture { .. } => "leave --arch out, or choose other --weights",
        Error::NormalizationUnknown { .. } => {
            "choose with --normalization: imagenet, imagenet-9, half, none, published weights of the same needs, or six numbers"
        }
        Error::Classes { .. } => "choose --weights, --scorer, --onnx or --data that fit each other",
        Error::RunExists(_) => "add --resume to go on with it, or choose another --out",
        Error::OtherRun { .. } => "choose another --out",
        Error::Diverged { .. } => "lower --lr or lengthen --warmup",
        Error::UnknownTap { .. } => "choose one of these",
        _ => return error,
    };
    anyhow::anyhow!("{line}; {advice}")
}

/// The library's error, which another library's may hold in a box.
fn own<'e>(cause: &'e (dyn std::error::Error + 'static)) -> Option<&'e Error> {
    cause.downcast_ref::<Error>().or_else(|| cause.downcast_ref::<Box<Error>>().map(Box::as_ref))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: Error) -> String {
        name_flags(error.into()).to_string()
    }

    #[test]
    fn settings_become_flags_and_faults_come_with_the_flag_that_settles_them() {
        let error = shown(Error::setting("weight_decay", "at least 0", -1));
        assert!(error.starts_with("--weight-decay: not a usable setting"), "{error}");
        let error = anyhow::Error::from(Error::setting("lr", "a number above 0", 0)).context("clr: stopped");
        assert!(name_flags(error).to_string().starts_with("clr: stopped: --lr: not a usable"));
        let error = shown(Error::ArchitectureUnknown("w.pth".into()));
        assert!(error.starts_with("w.pth: ") && error.ends_with("; name it with --arch"), "{error}");
        let unknown =
            Error::NormalizationUnknown { path: "w.pth".into(), arch: "a".into(), candidates: Vec::new() };
        assert!(shown(unknown).contains("--normalization"));
        let context = anyhow::Error::from(Error::Diverged { step: 1, epoch: 0, loss: 1e9, checkpoint: None });
        let error = name_flags(context.context("out: training stopped")).to_string();
        assert!(error.starts_with("out: training stopped: ") && error.ends_with("--warmup"), "{error}");
        assert_eq!(name_flags(anyhow::anyhow!("other")).to_string(), "other");
    }
}
