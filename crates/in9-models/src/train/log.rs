//! `log.csv`: one row an epoch.

/// The header of `log.csv`.
pub(crate) const HEADER: &str = "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy\n";

/// One row; loss and accuracy of the validation split are empty when it was not evaluated.
///
/// Numbers are written in the shortest form that reads back the same, so equal runs have equal
/// bytes.
pub(crate) fn row(epoch: u64, step: u64, rate: f64, train: (f64, f64), val: Option<(f64, f64)>) -> String {
    let val = val.map_or_else(|| ",".to_owned(), |(loss, accuracy)| format!("{loss},{accuracy}"));
    let (loss, accuracy) = train;
    format!("{epoch},{step},{rate},{loss},{accuracy},{val}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_header_s_columns() {
        let columns = HEADER.matches(',').count();
        let with = row(1, 93, 0.1, (2.0, 0.25), Some((1.5, 0.5)));
        let without = row(1, 93, 0.1, (2.0, 0.25), None);
        assert_eq!(with, "1,93,0.1,2,0.25,1.5,0.5\n");
        assert_eq!(without, "1,93,0.1,2,0.25,,\n");
        assert_eq!(with.matches(',').count(), columns);
        assert_eq!(without.matches(',').count(), columns);
    }
}
