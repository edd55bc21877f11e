//! Arrays on the heap.

/// An array of this value, made without the stack.
pub(super) fn boxed<T: Copy, const N: usize>(value: T) -> Box<[T; N]> {
    let boxed = vec![value; N].into_boxed_slice();
    boxed.try_into().unwrap_or_else(|_| Box::new([value; N]))
}
