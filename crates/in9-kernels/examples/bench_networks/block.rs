//! Residual blocks of the timed networks.

use crate::layers::{ConvNorm, ForwardPass, Layers};
use candle_core::{Result, Tensor, Var};
use in9_kernels::{Activation, add_act, gradients};

/// What a training step keeps of its forward pass.
pub(crate) struct Tape {
    /// The layers, in order.
    pub(crate) layers: Vec<ForwardPass>,
    /// Both terms of every residual addition, in order.
    pub(crate) sums: Vec<(Tensor, Tensor)>,
    /// The output of the stem.
    pub(crate) stem: Tensor,
    /// The input of the head.
    pub(crate) head_input: Var,
}

/// Layers one after another, plus the input (projected if the shapes differ).
pub(crate) struct Block {
    path: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
    residual: bool,
    activation: Activation,
}

impl Block {
    pub(crate) fn forward(&self, x: &Tensor, tape: &mut Tape) -> Result<Tensor> {
        let mut y = x.clone();
        for layer in &self.path {
            y = layer.forward(&y, &mut tape.layers)?;
        }
        if !self.residual {
            return Ok(y);
        }
        let identity = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x, &mut tape.layers)?,
            None => x.clone(),
        };
        let sum = add_act(&y, &identity, self.activation)?;
        tape.sums.push((y, identity));
        Ok(sum)
    }

    pub(crate) fn backward(
        &self,
        dy: Tensor,
        tape: &mut Tape,
        weights: &mut Vec<(Var, Tensor)>,
    ) -> Result<Tensor> {
        let mut through = |layer: &ConvNorm, d: &Tensor| {
            let Some(forward) = tape.layers.pop() else { candle_core::bail!("the tape is too short") };
            match layer.backward(forward, d, true, weights)? {
                Some(d) => Ok(d),
                None => candle_core::bail!("a layer gave no gradient"),
            }
        };
        let mut d = dy;
        let mut identity = None;
        if self.residual {
            let Some((y, other)) = tape.sums.pop() else { candle_core::bail!("the tape is too short") };
            d = gradients::add_act(&y, &other, self.activation, &d)?;
            identity = Some(match &self.shortcut {
                Some(shortcut) => through(shortcut, &d)?,
                None => d.clone(),
            });
        }
        for layer in self.path.iter().rev() {
            d = through(layer, &d)?;
        }
        match identity {
            Some(identity) => Ok(add_act(&d, &identity, Activation::None)?),
            None => Ok(d),
        }
    }

    pub(crate) fn infer(&self, x: &Tensor) -> Result<Tensor> {
        let Some((last, path)) = self.path.split_last() else { return Ok(x.clone()) };
        let mut y = x.clone();
        for layer in path {
            y = layer.infer(&y, None, layer.activation)?;
        }
        if !self.residual {
            return last.infer(&y, None, last.activation);
        }
        let shortcut = self.shortcut.as_ref();
        let shortcut = shortcut.map(|shortcut| shortcut.infer(x, None, Activation::None)).transpose()?;
        last.infer(&y, Some(shortcut.as_ref().unwrap_or(x)), self.activation)
    }
}

/// The block of ResNet-18 (He and others 2016).
pub(crate) fn basic(layers: &Layers, inputs: usize, outputs: usize, stride: usize) -> Result<Block> {
    let shortcut = if stride != 1 || inputs != outputs {
        Some(layers.conv(inputs, outputs, 1, stride, 1, Activation::None)?)
    } else {
        None
    };
    Ok(Block {
        path: vec![
            layers.conv(inputs, outputs, 3, stride, 1, Activation::Relu)?,
            layers.conv(outputs, outputs, 3, 1, 1, Activation::None)?,
        ],
        shortcut,
        residual: true,
        activation: Activation::Relu,
    })
}

/// The block of ResNet-50.
pub(crate) fn bottleneck(layers: &Layers, inputs: usize, width: usize, stride: usize) -> Result<Block> {
    let outputs = 4 * width;
    let shortcut = if stride != 1 || inputs != outputs {
        Some(layers.conv(inputs, outputs, 1, stride, 1, Activation::None)?)
    } else {
        None
    };
    Ok(Block {
        path: vec![
            layers.conv(inputs, width, 1, 1, 1, Activation::Relu)?,
            layers.conv(width, width, 3, stride, 1, Activation::Relu)?,
            layers.conv(width, outputs, 1, 1, 1, Activation::None)?,
        ],
        shortcut,
        residual: true,
        activation: Activation::Relu,
    })
}

/// The inverted residual of MobileNetV2 (Sandler and others 2018).
pub(crate) fn inverted(
    layers: &Layers,
    inputs: usize,
    outputs: usize,
    expansion: usize,
    stride: usize,
) -> Result<Block> {
    let hidden = inputs * expansion;
    let mut path = Vec::new();
    if expansion != 1 {
        path.push(layers.conv(inputs, hidden, 1, 1, 1, Activation::Relu6)?);
    }
    path.push(layers.conv(hidden, hidden, 3, stride, hidden, Activation::Relu6)?);
    path.push(layers.conv(hidden, outputs, 1, 1, 1, Activation::None)?);
    Ok(Block {
        path,
        shortcut: None,
        residual: stride == 1 && inputs == outputs,
        activation: Activation::None,
    })
}
