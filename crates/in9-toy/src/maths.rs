//! Arithmetic with the same bits on every platform: only operations that IEEE 754 rounds exactly.
//!
//! The standard library's `sin` calls the platform's own, whose last bit differs between systems;
//! a photograph would then differ between a Mac and a Linux machine. Everything in the toy world
//! is built from `+ - * /`, `sqrt` and `floor`, which do not.

/// A point in object space (about −1…1, y downwards) or in pixels, as the caller says.
pub(crate) type Point = [f32; 2];

/// The integer at or below `x`, which must fit; faster than the library's where that is a call.
pub(crate) fn floor_i32(x: f32) -> i32 {
    let towards_zero = x as i32;
    towards_zero - i32::from((towards_zero as f32) > x)
}

/// Sine of `turns` whole turns (1.0 = 360°), within 1e-5.
pub(crate) fn sin_turns(turns: f32) -> f32 {
    let mut t = turns - floor_i32(turns) as f32;
    if t > 0.75 {
        t -= 1.0;
    } else if t > 0.25 {
        t = 0.5 - t;
    }
    let x = t * (2.0 * std::f32::consts::PI);
    let q = x * x;
    x * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0 * (1.0 - q / 110.0)))))
}

/// Cosine of `turns` whole turns.
pub(crate) fn cos_turns(turns: f32) -> f32 {
    sin_turns(turns + 0.25)
}

/// 0 below `low`, 1 above `high`, a smooth cubic between.
pub(crate) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Euclidean length.
pub(crate) fn length(p: Point) -> f32 {
    (p[0] * p[0] + p[1] * p[1]).sqrt()
}

/// A map x ↦ A·x + b of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    /// Row-major 2×2 linear part.
    pub(crate) a: [f32; 4],
    /// Translation.
    pub(crate) b: Point,
}

impl Affine {
    /// Scales along the axes.
    pub(crate) fn scale(x: f32, y: f32) -> Affine {
        Affine { a: [x, 0.0, 0.0, y], b: [0.0, 0.0] }
    }

    /// Turns clockwise on a y-downwards plane.
    pub(crate) fn turn(turns: f32) -> Affine {
        let (s, c) = (sin_turns(turns), cos_turns(turns));
        Affine { a: [c, -s, s, c], b: [0.0, 0.0] }
    }

    /// Slants x by `k` for every unit of y.
    pub(crate) fn shear(k: f32) -> Affine {
        Affine { a: [1.0, k, 0.0, 1.0], b: [0.0, 0.0] }
    }

    /// `self` after `first`.
    pub(crate) fn after(self, first: Affine) -> Affine {
        let ([a, b, c, d], [e, f, g, h]) = (self.a, first.a);
        Affine { a: [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h], b: self.apply(first.b) }
    }

    /// The same map followed by a translation.
    pub(crate) fn moved(self, x: f32, y: f32) -> Affine {
        Affine { a: self.a, b: [self.b[0] + x, self.b[1] + y] }
    }

    /// The image of `p`.
    pub(crate) fn apply(self, p: Point) -> Point {
        [self.a[0] * p[0] + self.a[1] * p[1] + self.b[0], self.a[2] * p[0] + self.a[3] * p[1] + self.b[1]]
    }

    /// The inverse map; the linear part must not be singular.
    pub(crate) fn inverse(self) -> Affine {
        let [a, b, c, d] = self.a;
        let k = 1.0 / (a * d - b * c);
        let linear = Affine { a: [d * k, -b * k, -c * k, a * k], b: [0.0, 0.0] };
        let back = linear.apply(self.b);
        Affine { a: linear.a, b: [-back[0], -back[1]] }
    }

    /// Square root of the area scale: pixels per unit, averaged over directions.
    pub(crate) fn mean_scale(self) -> f32 {
        let [a, b, c, d] = self.a;
        (a * d - b * c).abs().sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_agrees_with_std() {
        for i in -2000..2000 {
            let t = i as f32 / 640.0;
            let exact = (f64::from(t) * std::f64::consts::TAU).sin();
            assert!((f64::from(sin_turns(t)) - exact).abs() < 1e-5, "at {t}");
        }
    }

    #[test]
    fn inverse_undoes() {
        let m = Affine::scale(3.0, 2.0).after(Affine::turn(0.1)).after(Affine::shear(0.2)).moved(5.0, -7.0);
        let p = m.inverse().apply(m.apply([0.3, -0.8]));
        assert!((p[0] - 0.3).abs() < 1e-5 && (p[1] + 0.8).abs() < 1e-5);
    }
}
