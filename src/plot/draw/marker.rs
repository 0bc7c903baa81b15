//! Markers: shapes that distinguish lines without color.

use crate::plot::draw::color::{Color, WHITE};
use crate::plot::draw::shape::{Point, Stroke};
use crate::plot::format::svg::Svg;

/// A marker shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
    /// ▼
    TriangleDown,
    /// ✚
    Plus,
    /// ★
    Star,
    /// ⬟
    Pentagon,
}

impl Marker {
    /// All shapes; the most distinct come first.
    pub const ALL: [Marker; 8] = [
        Marker::Circle,
        Marker::Square,
        Marker::Triangle,
        Marker::Diamond,
        Marker::TriangleDown,
        Marker::Plus,
        Marker::Star,
        Marker::Pentagon,
    ];

    /// Returns the shape with this index; shapes repeat.
    pub fn nth(number: usize) -> Marker {
        Marker::ALL[number % Marker::ALL.len()]
    }

    /// Draws the marker with a thin white edge, so that it is visible above other lines.
    pub fn draw(self, svg: &mut Svg, center: Point, radius: f64, color: Color) {
        let edge = Stroke::solid(WHITE, 1.0);
        match self {
            Marker::Circle => svg.circle(center, radius, Some(color), Some(edge)),
            _ => svg.outlined_polygon(&self.corners(center, radius), color, edge),
        }
    }

    fn corners(self, (x, y): Point, radius: f64) -> Vec<Point> {
        let around = |count: usize, turn: f64, radius: &dyn Fn(usize) -> f64| -> Vec<Point> {
            let corner = |number: usize| {
                let angle = turn + number as f64 / count as f64 * std::f64::consts::TAU;
                (x + radius(number) * angle.sin(), y - radius(number) * angle.cos())
            };
            (0..count).map(corner).collect()
        };
        let (half, third) = (std::f64::consts::PI, std::f64::consts::FRAC_PI_4);
        match self {
            Marker::Circle => Vec::new(),
            Marker::Square => around(4, third, &|_| radius * 1.25),
            Marker::Triangle => around(3, 0.0, &|_| radius * 1.35),
            Marker::Diamond => around(4, 0.0, &|_| radius * 1.3),
            Marker::TriangleDown => around(3, half, &|_| radius * 1.35),
            Marker::Plus => {
                let (far, near) = (radius * 1.25, radius * 0.45);
                let xs = [-near, near, near, far, far, near, near, -near, -near, -far, -far, -near];
                let ys = [-far, -far, -near, -near, near, near, far, far, near, near, -near, -near];
                xs.iter().zip(ys).map(|(dx, dy)| (x + dx, y + dy)).collect()
            }
            Marker::Star => around(10, 0.0, &|number| if number % 2 == 0 { radius * 1.5 } else { radius * 0.65 }),
            Marker::Pentagon => around(5, 0.0, &|_| radius * 1.2),
        }
    }
}

/// Draws a cross, which marks where a curve stops being finite.
pub fn cross(svg: &mut Svg, (x, y): Point, radius: f64, color: Color) {
    for (halo, width) in [(WHITE, 4.0), (color, 2.0)] {
        let stroke = Stroke::solid(halo, width);
        svg.line((x - radius, y - radius), (x + radius, y + radius), stroke);
        svg.line((x - radius, y + radius), (x + radius, y - radius), stroke);
    }
}
