//! A prediction table as the bytes of a Parquet file.

use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::super::{COLUMNS, Row, TRAINING, Table};

/// Rows that are written together.
const GROUP: usize = 1 << 17;

/// The file: texts as UTF-8, `training_seed` as an unsigned integer, scores as 32-bit floats; what is unknown is null.
pub(in super::super) fn bytes(table: &Table) -> Result<Vec<u8>> {
    let texts = texts(table);
    let scores: Vec<String> = table.classes.iter().map(|name| format!("score_{name}")).collect();
    let known = table.rows.iter().any(|row| !row.training.is_unknown());
    let mut fields = Vec::new();
    for name in texts.iter().map(|(name, _)| *name) {
        fields.push(field(name, Physical::BYTE_ARRAY, ConvertedType::UTF8)?);
    }
    if known {
        fields.push(field(TRAINING[2], Physical::INT64, ConvertedType::UINT_64)?);
    }
    for name in &scores {
        fields.push(field(name, Physical::FLOAT, ConvertedType::NONE)?);
    }
    let schema = Arc::new(Type::group_type_builder("predictions").with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties)?;
    for rows in table.rows.chunks(GROUP) {
        let mut group = writer.next_row_group()?;
        let mut at = 0;
        while let Some(mut column) = group.next_column()? {
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(column) => {
                    let (values, levels) = present(rows.iter().map(|row| {
                        let text = (texts[at].1)(row);
                        (!text.is_empty()).then(|| ByteArray::from(text.as_str()))
                    }));
                    column.write_batch(&values, Some(&levels), None)?;
                }
                ColumnWriter::Int64ColumnWriter(column) => {
                    let seeds = rows.iter().map(|row| row.training.seed.map(|seed| seed as i64));
                    let (values, levels) = present(seeds);
                    column.write_batch(&values, Some(&levels), None)?;
                }
                ColumnWriter::FloatColumnWriter(column) => {
                    let class = at - texts.len() - usize::from(known);
                    let (values, levels) = present(rows.iter().map(|row| row.scores.get(class).copied()));
                    column.write_batch(&values, Some(&levels), None)?;
                }
                // The schema above has no others.
                _ => {}
            }
            column.close()?;
            at += 1;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(bytes)
}

/// What gives a column's text of a row.
type Text<'t> = Box<dyn Fn(&Row) -> String + 't>;

/// The columns of texts in their order.
type Texts<'t> = Vec<(&'static str, Text<'t>)>;

fn texts(table: &Table) -> Texts<'_> {
    let class = |class: Option<u16>| class.map_or(String::new(), |at| table.classes[usize::from(at)].clone());
    let of: [Text<'_>; COLUMNS.len()] = [
        Box::new(|row| row.model.clone()),
        Box::new(|row| row.arch.clone()),
        Box::new(|row| row.trained_on.clone()),
        Box::new(|row| row.dataset.clone()),
        Box::new(|row| row.split.clone()),
        Box::new(|row| row.view.name().to_owned()),
        Box::new(|row| row.image.clone()),
        Box::new(|row| row.foreground.clone()),
        Box::new(|row| row.background.clone()),
        Box::new(move |row| class(Some(row.class))),
        Box::new(move |row| class(row.background_class)),
        Box::new(move |row| class(row.predicted)),
    ];
    let mut texts: Texts<'_> = COLUMNS.into_iter().zip(of).collect();
    if table.rows.iter().any(|row| !row.training.is_unknown()) {
        texts.push((TRAINING[0], Box::new(|row| row.training.dataset.clone())));
        texts.push((TRAINING[1], Box::new(|row| row.training.digest.clone())));
    }
    texts
}

fn field(name: &str, physical: Physical, converted: ConvertedType) -> Result<Arc<Type>> {
    let builder = Type::primitive_type_builder(name, physical);
    let builder = builder.with_repetition(Repetition::OPTIONAL).with_converted_type(converted);
    Ok(Arc::new(builder.build()?))
}

/// The values that are there, and for each place whether there is one.
fn present<T>(values: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<i16>) {
    let (mut there, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(i16::from(value.is_some()));
        there.extend(value);
    }
    (there, levels)
}
