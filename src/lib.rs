//! Stores a PNG thumbnail of every picture that lands in a Cloud Storage bucket.
