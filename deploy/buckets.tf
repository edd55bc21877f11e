locals {
  shared_bucket = var.source_bucket == var.target_bucket
  source_bucket = var.create_source_bucket ? google_storage_bucket.source[0].name : var.source_bucket
  # What the service reads, in the order of their jobs and notifications.
  source_buckets = concat([local.source_bucket], var.more_source_buckets)
  target_bucket = (
    local.shared_bucket ? local.source_bucket :
    var.create_target_bucket ? google_storage_bucket.target[0].name : var.target_bucket
  )
}

# A bucket is made once and then belongs to its owner: a CORS rule, a lifecycle rule or public access that was set by
# hand isn't taken back by the next apply. Another name would be ignored likewise, hence the postcondition. One that
# still holds objects is never deleted (force_destroy).
resource "google_storage_bucket" "source" {
  count = var.create_source_bucket ? 1 : 0

  project                     = var.project
  name                        = var.source_bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = var.labels

  lifecycle {
    ignore_changes = all
    postcondition {
      condition     = self.name == var.source_bucket
      error_message = "This deployment has made the bucket ${self.name}. For another one make another deployment (name), or let go of this one first: terraform state rm google_storage_bucket.source"
    }
  }
}

resource "google_storage_bucket" "target" {
  count = var.create_target_bucket && !local.shared_bucket ? 1 : 0

  project                     = var.project
  name                        = var.target_bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = var.labels

  lifecycle {
    ignore_changes = all
    postcondition {
      condition     = self.name == var.target_bucket
      error_message = "This deployment has made the bucket ${self.name}. For another one make another deployment (name), or let go of this one first: terraform state rm google_storage_bucket.target"
    }
  }
}
