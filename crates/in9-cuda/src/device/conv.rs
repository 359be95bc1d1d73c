//! Convolutions: cuDNN's, with descriptors, algorithms and a workspace kept by shape, and our own where every channel
//! has one filter.

mod descriptors;
mod plans;

use candle_core::Tensor;

pub(super) use self::plans::Convolutions;
use self::plans::{Entry, Key, Layout, Work};
use super::tensors::{element, f32s, first, last, plain, pointer, room};
use super::{Error, Gpu, Result};
use crate::Activation;
use crate::launch::Element;
use crate::plan::depthwise::Depthwise;
use crate::plan::{Matrix, convert, norm};

/// Sizes of a convolution; the output's follow from the others by the floor rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Images.
    pub n: usize,
    /// Channels of the input and of the output.
    pub channels: [usize; 2],
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Vertical and horizontal.
    pub stride: [usize; 2],
    /// Zeros around the image: top, bottom, left, right.
    pub padding: [usize; 4],
    /// Vertical and horizontal.
    pub dilation: [usize; 2],
    /// Groups that the channels are split into.
    pub groups: usize,
}

/// The filters of a layer, and what a device has made of them before.
#[derive(Clone, Copy)]
pub struct Filters<'a> {
    /// f32, `[out, in / groups, kh, kw]`.
    pub master: &'a Tensor,
    /// By [`Conv2d::prepare`].
    pub prepared: Option<&'a Tensor>,
}

impl Conv2d {
    fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.channels == [self.groups; 2]
    }

    fn depthwise(&self, element: Element) -> Depthwise {
        Depthwise {
            element,
            n: self.n,
            channels: self.groups,
            input: self.input,
            output: self.output,
            kernel: self.kernel,
            stride: self.stride,
            padding: [self.padding[0], self.padding[2]],
            dilation: self.dilation,
        }
    }

    fn matrix(&self, element: Element) -> Matrix {
        let rows = self.n * self.output[0] * self.output[1];
        Matrix { rows, channels: self.channels[1], element }
    }

    /// The same convolution of an image that has its padding: cuDNN's is the same on both sides.
    fn padded(&self) -> Self {
        let [top, bottom, left, right] = self.padding;
        let input = [self.input[0] + top + bottom, self.input[1] + left + right];
        Self { input, padding: [0; 4], ..*self }
    }

    fn is_symmetric(&self) -> bool {
        self.padding[0] == self.padding[1] && self.padding[2] == self.padding[3]
    }

    /// The filters in the order and the precision of the products: `[out, kh, kw, in / groups]`.
    ///
    /// # Errors
    /// Those of the driver.
    pub fn prepare(&self, gpu: &Gpu, master: &Tensor, to: Element) -> Result<Tensor> {
        let [out, inputs] = [self.channels[1], self.channels[0] / self.groups];
        let (master, taps) = (plain(master)?, self.kernel[0] * self.kernel[1]);
        let y = room(&master, to, (out, self.kernel[0], self.kernel[1], inputs))?;
        gpu.run(&convert::transpose([Element::F32, to], [out, inputs, taps]), &[Some(&master), Some(&y)])?;
        Ok(y)
    }

    /// `activation(conv(x) + bias + residual)`.
    ///
    /// # Shapes
    /// - `x`: `[n, in, h, w]`, f32 or bf16
    /// - `bias`: `[out]`, f32
    /// - `residual` and result: `[n, out, oh, ow]`, of x's type
    ///
    /// # Errors
    /// [`Error::OutOfMemory`], [`Error::Cudnn`].
    pub fn forward(
        &self,
        gpu: &Gpu,
        x: &Tensor,
        filters: Filters<'_>,
        bias: Option<&Tensor>,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let (x, element) = (last(gpu, x)?, element(x)?);
        let bias = bias.map(|bias| f32s(gpu, bias)).transpose()?;
        let residual = residual.map(|residual| last(gpu, residual)).transpose()?;
        if self.is_depthwise() {
            let (master, direct) = (plain(filters.master)?, residual.is_none());
            let y = room(&x, element, (self.n, self.output[0], self.output[1], self.channels[1]))?;
            let inner = if direct { activation } else { Activation::None };
            let plan = self.depthwise(element).forward(inner, bias.is_some());
            gpu.run(&plan, &[Some(&x), Some(&master), bias.as_ref(), Some(&y)])?;
            return match &residual {
                Some(residual) => self.epilogue(gpu, &y, None, Some(residual), activation),
                None => first(&y),
            };
        }
        if !self.is_symmetric() {
            let [top, bottom, left, right] = self.padding;
            let x = first(&x.pad_with_zeros(1, top, bottom)?.pad_with_zeros(2, left, right)?)?;
            let residual = residual.as_ref().map(first).transpose()?;
            return self.padded().forward(gpu, &x, filters, bias.as_ref(), residual.as_ref(), activation);
        }
        let simple = matches!(activation, Activation::None | Activation::Relu);
        if simple && bias.is_some() {
            let key = Key { conv: *self, element, work: Work::Fused };
            let fused = self.fused(gpu, key, &x, filters, [bias.as_ref(), residual.as_ref()], activation)?;
            if let Some(y) = fused {
                return first(&y);
            }
        }
        let entry = gpu.convolutions().entry(Key { conv: *self, element, work: Work::Forward })?;
        let (w, y) = (self.filters(gpu, &entry, filters, element)?, self.output_room(&x, &entry, element)?);
        let from = self.arranged(gpu, &entry, &x)?;
        gpu.convolutions().forward(&entry, pointer(&from)?, pointer(&w)?, pointer(&y)?)?;
        let y = self.rearranged(gpu, &entry, y, self.channels[1])?;
        if bias.is_none() && residual.is_none() && activation == Activation::None {
            return first(&y);
        }
        self.epilogue(gpu, &y, bias.as_ref(), residual.as_ref(), activation)
    }

    /// In one call of cuDNN, or none where it has no algorithm for that.
    fn fused(
        &self,
        gpu: &Gpu,
        key: Key,
        x: &Tensor,
        filters: Filters<'_>,
        [bias, residual]: [Option<&Tensor>; 2],
        activation: Activation,
    ) -> Result<Option<Tensor>> {
        let Some(entry) = gpu.convolutions().fused_entry(key)? else { return Ok(None) };
        let Some(bias) = bias else { return Ok(None) };
        let w = self.filters(gpu, &entry, filters, key.element)?;
        let y = self.output_room(x, &entry, key.element)?;
        let bias = match key.element {
            Element::F32 => bias.clone(),
            to => {
                let rounded = room(bias, to, bias.shape())?;
                let plan = convert::cast([Element::F32, to], bias.elem_count());
                gpu.run(&plan, &[Some(bias), Some(&rounded)])?;
                rounded
            }
        };
        let residual = residual.map(pointer).transpose()?;
        let addresses = [pointer(x)?, pointer(&w)?, pointer(&bias)?, pointer(&y)?];
        let relu = activation == Activation::Relu;
        Ok(gpu.convolutions().fused(key, &entry, addresses, residual, relu)?.then_some(y))
    }

    fn epilogue(
        &self,
        gpu: &Gpu,
        y: &Tensor,
        bias: Option<&Tensor>,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let element = element(y)?;
        let out = room(y, element, y.shape())?;
        let plan = norm::epilogue(self.matrix(element), activation, bias.is_some(), residual.is_some());
        gpu.run(&plan, &[Some(y), bias, residual, Some(&out)])?;
        first(&out)
    }

    /// The gradient with respect to the image, of dy's type.
    ///
    /// # Errors
    /// As for [`Self::forward`].
    pub fn backward_data(&self, gpu: &Gpu, filters: Filters<'_>, dy: &Tensor) -> Result<Tensor> {
        let (dy, element) = (last(gpu, dy)?, element(dy)?);
        let shape = (self.n, self.input[0], self.input[1], self.channels[0]);
        if self.is_depthwise() {
            let (master, dx) = (plain(filters.master)?, room(&dy, element, shape)?);
            let plan = self.depthwise(element).backward_data();
            gpu.run(&plan, &[Some(&dy), Some(&master), Some(&dx)])?;
            return first(&dx);
        }
        if !self.is_symmetric() {
            let dx = self.padded().backward_data(gpu, filters, &first(&dy)?)?;
            let rows = dx.narrow(2, self.padding[0], self.input[0])?;
            return Ok(rows.narrow(3, self.padding[2], self.input[1])?);
        }
        let entry = gpu.convolutions().entry(Key { conv: *self, element, work: Work::Data })?;
        let w = self.filters(gpu, &entry, filters, element)?;
        let from = self.arranged(gpu, &entry, &dy)?;
        let dx = match entry.layout {
            Layout::Last => room(&dy, element, shape)?,
            Layout::First => room(&dy, element, (self.n, self.channels[0], self.input[0], self.input[1]))?,
        };
        gpu.convolutions().backward_data(&entry, pointer(&w)?, pointer(&from)?, pointer(&dx)?)?;
        first(&self.rearranged(gpu, &entry, dx, self.channels[0])?)
    }

    /// The gradient with respect to the filters, f32, `[out, in / groups, kh, kw]`.
    ///
    /// # Errors
    /// As for [`Self::forward`].
    pub fn backward_weight(&self, gpu: &Gpu, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let (x, dy, element) = (last(gpu, x)?, last(gpu, dy)?, element(dy)?);
        let ([kh, kw], out, inputs) = (self.kernel, self.channels[1], self.channels[0] / self.groups);
        let shape = (out, inputs, kh, kw);
        if self.is_depthwise() {
            let dw = room(&x, Element::F32, shape)?;
            let plan = self.depthwise(element).backward_weight();
            gpu.run(&plan, &[Some(&x), Some(&dy), Some(&dw)])?;
            return Ok(dw);
        }
        if !self.is_symmetric() {
            let [top, bottom, left, right] = self.padding;
            let x = first(&x.pad_with_zeros(1, top, bottom)?.pad_with_zeros(2, left, right)?)?;
            return self.padded().backward_weight(gpu, &x, &first(&dy)?);
        }
        let entry = gpu.convolutions().entry(Key { conv: *self, element, work: Work::Filter })?;
        let (from, d) = (self.arranged(gpu, &entry, &x)?, self.arranged(gpu, &entry, &dy)?);
        match entry.layout {
            Layout::Last => {
                let dw = room(&x, element, (out, kh, kw, inputs))?;
                gpu.convolutions().backward_filter(&entry, pointer(&from)?, pointer(&d)?, pointer(&dw)?)?;
                let y = room(&x, Element::F32, shape)?;
                let plan = convert::transpose([element, Element::F32], [out, kh * kw, inputs]);
                gpu.run(&plan, &[Some(&dw), Some(&y)])?;
                Ok(y)
            }
            Layout::First => {
                let dw = room(&x, element, shape)?;
                gpu.convolutions().backward_filter(&entry, pointer(&from)?, pointer(&d)?, pointer(&dw)?)?;
                f32s(gpu, &dw)
            }
        }
    }

    /// The filters as a plan of cuDNN reads them.
    fn filters(&self, gpu: &Gpu, entry: &Entry, filters: Filters<'_>, element: Element) -> Result<Tensor> {
        match (entry.layout, filters.prepared) {
            (Layout::Last, Some(prepared)) => Ok(prepared.clone()),
            (Layout::Last, None) => self.prepare(gpu, filters.master, element),
            (Layout::First, _) => {
                let master = plain(filters.master)?;
                if element == Element::F32 {
                    return Ok(master);
                }
                let y = room(&master, element, master.shape())?;
                let plan = convert::cast([Element::F32, element], master.elem_count());
                gpu.run(&plan, &[Some(&master), Some(&y)])?;
                Ok(y)
            }
        }
    }

    fn output_room(&self, x: &Tensor, entry: &Entry, element: Element) -> Result<Tensor> {
        let ([h, w], channels) = (self.output, self.channels[1]);
        match entry.layout {
            Layout::Last => room(x, element, (self.n, h, w, channels)),
            Layout::First => room(x, element, (self.n, channels, h, w)),
        }
    }

    /// An activation, channels last, as a plan of cuDNN reads it.
    fn arranged(&self, gpu: &Gpu, entry: &Entry, x: &Tensor) -> Result<Tensor> {
        if matches!(entry.layout, Layout::Last) {
            return Ok(x.clone());
        }
        let ((n, h, w, c), element) = (x.dims4()?, element(x)?);
        let y = room(x, element, (n, c, h, w))?;
        gpu.run(&convert::transpose([element, element], [n, h * w, c]), &[Some(x), Some(&y)])?;
        Ok(y)
    }

    /// What a plan of cuDNN wrote, channels last.
    fn rearranged(&self, gpu: &Gpu, entry: &Entry, y: Tensor, channels: usize) -> Result<Tensor> {
        if matches!(entry.layout, Layout::Last) {
            return Ok(y);
        }
        let c = y.dim(1)?;
        if c != channels {
            return Err(Error::Unsupported(format!("{c} channels where {channels} are expected")));
        }
        last(gpu, &y)
    }
}
