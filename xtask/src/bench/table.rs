//! `cargo xtask bench table`: the README's table from the file that `bench zoo --csv` wrote.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

const CSV: &str = "crates/in9-models/benches/zoo.csv";
const README: &str = "crates/in9-models/README.md";
const BEGIN: &str = "<!-- made by `cargo xtask bench table` -->\n";
const END: &str = "<!-- end of what `cargo xtask bench table` makes -->";

/// Makes the table of speed in in9-models' README from the measured rows
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only say whether the table is what the rows make
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let rows = std::fs::read_to_string(CSV).with_context(|| CSV.to_owned())?;
    let readme = std::fs::read_to_string(README).with_context(|| README.to_owned())?;
    let made = replaced(&readme, &tables(&rows)?)?;
    if made == readme {
        return Ok(());
    }
    if args.check {
        bail!("{README} is not what {CSV} makes; run `cargo xtask bench table`");
    }
    std::fs::write(Path::new(README), made).with_context(|| README.to_owned())
}

/// The README with `tables` between its marks.
fn replaced(readme: &str, tables: &str) -> Result<String> {
    let (before, rest) = readme.split_once(BEGIN).with_context(|| format!("{README} has no {BEGIN:?}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{README} has no {END:?}"))?;
    Ok(format!("{before}{BEGIN}{tables}{END}{after}"))
}

/// A side's time in milliseconds and its peak in megabytes.
type Sides = BTreeMap<String, (f64, f64)>;

/// One table for each processor, level, number of threads, batch and work, in the order in which they first appear.
fn tables(csv: &str) -> Result<String> {
    let mut groups: Vec<(String, Vec<(String, Sides)>)> = Vec::new();
    for (number, line) in csv.lines().enumerate().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let &[processor, level, threads, batch, arch, work, side, ms, mb] = fields.as_slice() else {
            bail!("{CSV}, line {}: {} fields, expected 9", number + 1, fields.len());
        };
        let of =
            |text: &str| text.parse::<f64>().with_context(|| format!("{CSV}, line {}: {text:?}", number + 1));
        let work = if work == "infer" { "evaluation" } else { "training step" };
        let title = format!("{processor}, {level}, {threads} threads: {work} of {batch}");
        let at = groups.iter().position(|(known, _)| *known == title).unwrap_or_else(|| {
            groups.push((title, Vec::new()));
            groups.len() - 1
        });
        let rows = &mut groups[at].1;
        if rows.last().is_none_or(|(last, sides)| last != arch || sides.contains_key(side)) {
            rows.push((arch.to_owned(), Sides::new()));
        }
        if let Some((_, sides)) = rows.last_mut() {
            sides.insert(side.to_owned(), (of(ms)?, of(mb)?));
        }
    }
    Ok(groups.iter().map(|(title, rows)| table(title, rows)).collect())
}

fn table(title: &str, rows: &[(String, Sides)]) -> String {
    let mut text = format!(
        "\n{title}\n\n| architecture | ours, ms | best peer, ms | which | ratio | ours, MB | leanest peer, MB |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    let (mut product, mut count) = (0f64, 0f64);
    for (arch, sides) in rows {
        let Some((ours, mb)) = sides.get("ours") else { continue };
        let peers = || sides.iter().filter(|(name, _)| *name != "ours");
        let best = peers().min_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let leanest = peers().map(|(_, (_, mb))| *mb).fold(f64::INFINITY, f64::min);
        let Some((which, (time, _))) = best else { continue };
        let ratio = ours / time;
        (product, count) = (product + ratio.ln(), count + 1.0);
        let which = which.replace('_', " ");
        text +=
            &format!("| {arch} | {ours:.1} | {time:.1} | {which} | {ratio:.2} | {mb:.0} | {leanest:.0} |\n");
    }
    if count > 1.0 {
        text += &format!("| geometric mean | | | | {:.2} | | |\n", (product / count).exp());
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "processor,level,threads,batch,arch,work,side,ms,peak_mb
P,avx2,1,8,a,infer,ours,10.0,50
P,avx2,1,8,a,infer,openvino,20.0,100
P,avx2,1,8,a,infer,nchw,40.0,90
P,avx2,1,8,b,infer,ours,20.0,50
P,avx2,1,8,b,infer,openvino,10.0,40
";

    #[test]
    fn a_row_stands_beside_its_best_peer_and_the_mean_is_geometric() {
        let text = tables(ROWS).unwrap();
        assert!(text.contains("P, avx2, 1 threads: evaluation of 8"), "{text}");
        assert!(text.contains("| a | 10.0 | 20.0 | openvino | 0.50 | 50 | 90 |"), "{text}");
        assert!(text.contains("| b | 20.0 | 10.0 | openvino | 2.00 | 50 | 40 |"), "{text}");
        assert!(text.contains("| geometric mean | | | | 1.00 | | |"), "{text}");
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let readme = format!("before\n{BEGIN}old{END}\nafter");
        assert_eq!(replaced(&readme, "new\n").unwrap(), format!("before\n{BEGIN}new\n{END}\nafter"));
        assert!(replaced("nothing", "new").is_err());
        assert!(tables("header\n1,2").unwrap_err().to_string().contains("line 2"));
    }
}
