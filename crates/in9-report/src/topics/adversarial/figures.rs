//! Success rates as a histogram, and the strongest backgrounds as pictures.

use crate::context::Context;
use crate::error::Result;
use crate::page::Block;
use crate::page::gallery::{self, Item};
use crate::page::pictures::data_address;
use crate::page::see;
use crate::plot::{Histogram, Width};
use in9_analysis::output::number::percent;
use in9_analysis::probes::adversarial::Summary;
use in9_data::View;

/// How often each background turns foregrounds into its own class.
pub(super) fn histogram(s: &Summary, name: &str) -> Option<Block> {
    let chart = Histogram {
        label: format!("success rates of backgrounds, {name}"),
        x_axis: "targeted success rate of a background (%)".into(),
        y_axis: "backgrounds".into(),
        values: s.rates.iter().map(|r| 100.0 * r).collect(),
        bins: 30,
        width: Width::Half,
    };
    let caption = format!(
        "How many backgrounds (vertical axis) turn which share of the foregrounds of other classes into their own class \
         (horizontal axis), {name}. All classes; the paper's insect backgrounds reach 52 %."
    );
    Block::paper_figure("Figure 4", chart.svg(), caption)
}

/// Pictures of the strongest backgrounds of each class, as in Figures 3 and 22 to 29.
pub(super) fn strongest(context: &Context, s: &Summary, called: &str) -> Result<Option<Block>> {
    let Some(test) = context.test_split(&s.split)? else { return Ok(None) };
    let mut items = Vec::new();
    for c in &s.classes {
        let name = context.frame.classes.get(usize::from(c.class)).cloned().unwrap_or_default();
        for (id, rate) in &c.strongest {
            let Some(i) = test.split.find(id) else { continue };
            let Some(rgb) = test.picture(View::OnlyBgT, i) else { continue };
            items.push(Item {
                picture: data_address(&rgb, test.split.size())?,
                caption: format!("{name}: {} %", percent(rate.value)),
                see: Some(see::photograph(&s.dataset, &s.split, id)),
            });
        }
    }
    let summary = format!(
        "The five strongest backgrounds of each class, with their success rates: {called} (the paper’s Figures 3 and 22 to 29)"
    );
    Ok(gallery::block(items, test.split.size())?.map(|b| Block::Details(summary, vec![b])))
}
