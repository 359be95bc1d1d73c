//! Success rates as a histogram, and the strongest backgrounds as pictures.

use crate::context::Context;
use crate::error::Result;
use crate::page::Block;
use crate::page::gallery::{self, Item};
use crate::page::pictures::data_address;
use crate::page::see;
use crate::plot::Histogram;
use in9_analysis::output::number::percent;
use in9_analysis::probes::adversarial::Summary;
use in9_data::View;

/// How often each background turns foregrounds into its own class.
pub(super) fn histogram(s: &Summary) -> Block {
    let svg = Histogram {
        label: format!("success rates of backgrounds, trained on {}", s.trained_on),
        x_axis: "targeted success rate of a background (%)".into(),
        y_axis: "backgrounds".into(),
        values: s.rates.iter().map(|r| 100.0 * r).collect(),
        bins: 30,
    };
    Block::figure(
        svg.svg(),
        format!(
            "Figure 4, all classes, network trained on {}: how often each background fools foregrounds of other \
             classes into its own class. The paper's insect backgrounds reach 52 %.",
            s.trained_on
        ),
    )
}

/// Pictures of the strongest backgrounds of each class, as in Figures 3 and 22 to 29.
pub(super) fn strongest(context: &Context, s: &Summary) -> Result<Option<Block>> {
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
        "Figures 3 and 22 to 29: the five strongest backgrounds of each class against the network trained on {}, with their success rates",
        s.trained_on
    );
    Ok(gallery::block(items, test.split.size())?.map(|b| Block::Details(summary, vec![b])))
}
