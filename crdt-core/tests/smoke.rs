//! The engine on its feet: to be replaced by the law suite.
use crdt_core::*;

#[test]
fn nested_edit_merge_and_bytes() {
    let mut a = Writer::new(ReplicaId::from_u128(1));
    let mut b = Writer::new(ReplicaId::from_u128(2));
    type M = OrMap<String, OrSet<u64>>;
    let mut x = Causal::<M>::new();
    let (d1, _) = x.edit(&mut a, |m| m.entry("k").insert(5u64));
    let mut y = Causal::<M>::new();
    assert!(y.merge(&d1));
    assert!(!y.merge(&d1));
    let (d2, n) = y.edit(&mut b, |m| m.remove("k"));
    assert_eq!(n, 1);
    let (d3, _) = x.edit(&mut a, |m| {
        m.entry("k").insert(5u64);
        m.entry("j").insert(7u64);
    });
    x.merge(d2.clone());
    y.merge(d3.clone());
    assert_eq!(x, y);
    assert_eq!(x.encode(), y.encode());
    for d in [&d1, &d2, &d3] {
        assert_eq!(&Delta::<M>::decode(&d.encode()).unwrap(), d);
    }
    let z = Causal::<M>::decode(&x.encode()).unwrap();
    assert_eq!(z, x);
    z.validate().unwrap();
    let mut s = Causal::<OrSet<u64>>::new();
    let mut p = Writer::resume(ReplicaId::from_u128(9), 999_999);
    let (d, _) = s.edit(&mut p, |s| s.insert(u64::MAX));
    assert_eq!(d.encode().len(), 8 + 24);
}
