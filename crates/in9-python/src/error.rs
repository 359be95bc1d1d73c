//! Errors of the crates as Python exceptions, with the same one line.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// Who is at fault, which is what a caller may want to tell apart: a class of `in9.errors`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// A file or folder that cannot be read or written, or is not ours to replace.
    File,
    /// A file that is damaged, of another kind or version, or does not belong.
    Data,
    /// An argument that nothing can be done with.
    Argument,
    /// A network that cannot be asked.
    Model,
}

/// The exception of a fault with this line.
pub(crate) fn exception(py: Python<'_>, fault: Fault, line: String) -> PyErr {
    static CLASSES: PyOnceLock<[Py<PyType>; 4]> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || {
        let module = py.import("in9.errors")?;
        let class = |name: &str| PyResult::Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind());
        PyResult::Ok([
            class("FileError")?,
            class("DataError")?,
            class("ArgumentError")?,
            class("ModelError")?,
        ])
    });
    match classes {
        Ok(classes) => PyErr::from_type(classes[fault as usize].bind(py).clone(), line),
        Err(error) => error,
    }
}

/// An error of one of the crates.
pub(crate) trait Faulty: std::error::Error + Send + Sync + 'static {
    /// Who is at fault.
    fn fault(&self) -> Fault;
}

impl Faulty for in9_base::Error {
    fn fault(&self) -> Fault {
        match self {
            Self::Table { .. } | Self::TableLimit { .. } | Self::Mark { .. } => Fault::Data,
            Self::Name(_) => Fault::Argument,
            _ => Fault::File,
        }
    }
}

impl Faulty for in9_data::Error {
    fn fault(&self) -> Fault {
        match self {
            Self::Files(error) => error.fault(),
            Self::Memory { .. } | Self::Thread { .. } => Fault::File,
            Self::Unknown { .. }
            | Self::Setting { .. }
            | Self::Argument { .. }
            | Self::PhotographsOnly { .. }
            | Self::OtherBuild { .. } => Fault::Argument,
            _ => Fault::Data,
        }
    }
}

impl Faulty for in9_toy::Error {
    fn fault(&self) -> Fault {
        match self {
            Self::Files(error) => error.fault(),
            _ => Fault::Argument,
        }
    }
}

impl Faulty for in9_models::Error {
    fn fault(&self) -> Fault {
        match self {
            Self::Base(error) => error.fault(),
            Self::Data(error) => error.fault(),
            Self::Setting { .. } => Fault::Argument,
            _ => Fault::Model,
        }
    }
}

impl Faulty for in9_analysis::Error {
    fn fault(&self) -> Fault {
        match self {
            Self::File(error) => error.fault(),
            Self::Data(error) => error.fault(),
            Self::Network(error) => error.fault(),
            Self::Classifier(_) => Fault::Model,
            Self::NeedsPairing { .. } | Self::NoTap { .. } | Self::UnknownModel { .. } => Fault::Argument,
            _ => Fault::Data,
        }
    }
}

impl Faulty for in9_report::Error {
    fn fault(&self) -> Fault {
        match self {
            Self::File(error) => error.fault(),
            Self::Data(error) => error.fault(),
            Self::Analysis(error) => error.fault(),
            _ => Fault::Data,
        }
    }
}

/// An error that becomes an exception where Python is at hand.
pub(crate) trait Raise<T> {
    /// The value, or the exception with the error's one line.
    fn raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T, E: Faulty> Raise<T> for Result<T, E> {
    fn raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| {
            let fault = error.fault();
            exception(py, fault, in9_base::shell::one_line(&anyhow::Error::from(error)))
        })
    }
}

/// An argument that nothing can be done with.
pub(crate) fn argument(py: Python<'_>, line: impl Into<String>) -> PyErr {
    exception(py, Fault::Argument, line.into())
}
