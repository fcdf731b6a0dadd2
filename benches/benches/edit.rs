//! Criterion over the jobs of `work::edit`; its doc says what may be compared.

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, jobs);
criterion_main!(benches);

fn jobs(criterion: &mut criterion::Criterion) {
    crdt_benches::criterion(criterion, crdt_benches::work::edit::jobs());
}
