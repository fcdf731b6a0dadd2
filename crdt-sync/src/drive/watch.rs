//! A value that threads and tasks alike can wait for.

use std::future::{Future, poll_fn};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A value behind a lock. Whoever waits for a condition on it looks again after each change.
///
/// It is all the synchronisation that a driver needs, and it knows no runtime: a thread waits on a condition variable,
/// a task leaves its waker.
#[derive(Debug, Default)]
pub(super) struct Watch<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner<T> {
    value: T,
    wakers: Vec<Waker>,
}

impl<T> Watch<T> {
    pub(super) fn new(value: T) -> Self {
        Self { inner: Mutex::new(Inner { value, wakers: Vec::new() }), changed: Condvar::new() }
    }

    /// A panic of another holder of the lock left the value as it was between two statements of ours, which are all
    /// whole: nothing here calls foreign code while it holds it.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the value without telling anybody.
    pub(super) fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.lock().value)
    }

    /// Changes the value and wakes all who wait.
    pub(super) fn update<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let (answer, wakers) = {
            let mut inner = self.lock();
            (f(&mut inner.value), std::mem::take(&mut inner.wakers))
        };
        self.changed.notify_all();
        // Outside the lock: a waker may run its task at once.
        wakers.into_iter().for_each(Waker::wake);
        answer
    }

    /// Blocks the thread until `f` answers; none if that took until the deadline. What `f` changes wakes nobody.
    pub(super) fn wait<R>(&self, deadline: Option<Instant>, mut f: impl FnMut(&mut T) -> Option<R>) -> Option<R> {
        let mut inner = self.lock();
        loop {
            if let Some(answer) = f(&mut inner.value) {
                return Some(answer);
            }
            inner = match deadline {
                None => self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The same for a task.
    pub(super) fn poll<R>(&self, context: &Context<'_>, f: impl FnOnce(&mut T) -> Option<R>) -> Poll<R> {
        let mut inner = self.lock();
        match f(&mut inner.value) {
            Some(answer) => Poll::Ready(answer),
            None => {
                let waker = context.waker();
                // A task that looks twice between two changes is woken once.
                if !inner.wakers.last().is_some_and(|last| last.will_wake(waker)) {
                    inner.wakers.push(waker.clone());
                }
                Poll::Pending
            }
        }
    }

    /// Waits until `f` answers.
    pub(super) fn when<'w, R>(&'w self, mut f: impl FnMut(&mut T) -> Option<R> + 'w) -> impl Future<Output = R> + 'w {
        poll_fn(move |context| self.poll(context, &mut f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_thread_waits_until_the_value_is_there_or_the_time_is_up() {
        let watch = Arc::new(Watch::new(0));
        let soon = Instant::now() + Duration::from_millis(20);
        assert_eq!(watch.wait(Some(soon), |value| (*value == 1).then_some(())), None);
        let other = Arc::clone(&watch);
        let thread = thread::spawn(move || other.update(|value| *value = 1));
        assert_eq!(watch.wait(None, |value| (*value == 1).then_some("there")), Some("there"));
        thread.join().unwrap();
    }

    #[test]
    fn a_task_is_woken_once_for_each_change() {
        struct Count(std::sync::atomic::AtomicUsize);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
        let count = Arc::new(Count(0.into()));
        let waker = Waker::from(Arc::clone(&count));
        let context = Context::from_waker(&waker);
        let watch = Watch::new(0);
        for _ in 0..3 {
            assert!(watch.poll(&context, |value| (*value == 2).then_some(())).is_pending());
        }
        watch.update(|value| *value = 1);
        assert_eq!(count.0.load(std::sync::atomic::Ordering::SeqCst), 1);
        assert!(watch.poll(&context, |value| (*value == 2).then_some(())).is_pending());
        watch.update(|value| *value = 2);
        assert!(watch.poll(&context, |value| (*value == 2).then_some(())).is_ready());
    }
}
