//! What one link has still to send.

use std::collections::VecDeque;
use std::sync::Arc;

use super::backoff::Refusal;
use super::watch::Watch;

/// Frames on their way to one peer, shared between the replica that makes them and the task or thread that writes them.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    queue: Arc<Watch<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    closed: bool,
    refusal: Option<Refusal>,
    #[cfg_attr(not(feature = "tcp"), allow(dead_code, reason = "threads are ended by their socket"))]
    cut: bool,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self { queue: Arc::new(Watch::default()) }
    }

    /// Queues a frame; answers how many bytes wait now. Above `bytes_max` the link is cut: the replica leaves out
    /// what it can long before that, so a peer for which this much still piled up does not read at all.
    pub(super) fn push(&self, frame: Vec<u8>, bytes_max: usize) -> usize {
        self.queue.update(|queue| {
            if queue.closed {
                return 0;
            }
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
            if queue.bytes > bytes_max {
                queue.cut();
            }
            queue.bytes
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.queue.read(|queue| queue.bytes)
    }

    /// One end refused the other: the first reason is the reason.
    pub(super) fn refuse(&self, refusal: Refusal) {
        self.queue.update(|queue| queue.refusal = queue.refusal.or(Some(refusal)));
    }

    /// What is queued is still sent, and nothing after it: the last word is mostly why.
    pub(super) fn close(&self) {
        self.queue.update(|queue| queue.closed = true);
    }

    /// Why one end refused the other, if it did.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.queue.read(|queue| queue.refusal)
    }

    /// What is queued is dropped: a repair brings it on the next link.
    pub(super) fn cut(&self) {
        self.queue.update(Queue::cut);
    }

    /// The next frame; none once the link is closed.
    #[cfg(feature = "tcp")]
    pub(super) async fn next(&self) -> Option<Vec<u8>> {
        self.queue.when(Queue::next).await
    }

    /// The next frame, waited for by a thread.
    pub(super) fn wait_next(&self) -> Option<Vec<u8>> {
        self.queue.wait(None, Queue::next).flatten()
    }

    /// Resolves when the link is cut.
    #[cfg(feature = "tcp")]
    pub(super) async fn gone(&self) {
        self.queue.when(|queue| queue.cut.then_some(())).await;
    }
}

impl Queue {
    /// Outer none: wait. Inner none: closed.
    fn next(&mut self) -> Option<Option<Vec<u8>>> {
        match self.frames.pop_front() {
            Some(frame) => {
                self.bytes -= frame.len();
                Some(Some(frame))
            }
            None => self.closed.then_some(None),
        }
    }

    fn cut(&mut self) {
        *self = Self { closed: true, cut: true, refusal: self.refusal, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_does_not_read_loses_its_link_and_its_queue() {
        let link = Outgoing::new();
        assert_eq!(link.push(vec![0; 60], 100), 60);
        assert_eq!(link.wait_next().map(|frame| frame.len()), Some(60));
        link.push(vec![0; 60], 100);
        link.push(vec![0; 60], 100);
        assert_eq!((link.bytes(), link.wait_next()), (0, None));
    }

    #[test]
    fn the_last_word_is_sent_before_a_link_closes() {
        let link = Outgoing::new();
        link.push(vec![1], 100);
        link.refuse(Refusal::Incompatible);
        link.refuse(Refusal::Struck);
        link.push(vec![2], 100);
        link.close();
        link.push(vec![3], 100);
        assert_eq!(link.wait_next(), Some(vec![1]));
        assert_eq!(link.wait_next(), Some(vec![2]));
        assert_eq!(link.wait_next(), None);
        link.cut();
        assert_eq!(link.refusal(), Some(Refusal::Incompatible), "the first reason is the reason");
    }
}
