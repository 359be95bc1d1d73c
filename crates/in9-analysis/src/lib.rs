//! How much a classifier leans on the background: metrics with intervals, probes and a report, from prediction tables.
#![deny(missing_docs)]
