//! ImageNet-9 datasets: photographs with boxes or masks to layered shards, composed into the eight variants when read.
#![deny(missing_docs)]
