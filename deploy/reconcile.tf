# The scheduled comparison of both buckets: nothing of this file is made while reconcile_schedule is empty.
locals {
  reconcile = var.reconcile_schedule == "" ? 0 : 1
}

# It lists both buckets, publishes to the one topic and starts its own job. It can write no object.
resource "google_service_account" "reconcile" {
  count        = local.reconcile
  project      = var.project
  account_id   = "${var.name}-reconcile"
  display_name = "${var.name}: finds pictures without a current thumbnail"
}

resource "google_storage_bucket_iam_member" "reconcile_lists" {
  for_each = local.reconcile == 0 ? {} : merge(
    { source = local.source_bucket },
    local.shared_bucket ? {} : { target = local.target_bucket },
  )
  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.reconcile[0].member
}

resource "google_pubsub_topic_iam_member" "reconcile_publishes" {
  count   = local.reconcile
  project = var.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.reconcile[0].member
}

resource "google_cloud_run_v2_job" "reconcile" {
  count               = local.reconcile
  project             = var.project
  location            = var.region
  name                = "${var.name}-reconcile"
  deletion_protection = false

  template {
    task_count = 1

    template {
      service_account = google_service_account.reconcile[0].email
      # A run that is cut short has still published what it found; the next one finds the rest.
      timeout     = "21600s"
      max_retries = 1

      containers {
        image = var.image
        args  = ["reconcile", local.source_bucket, "--topic", google_pubsub_topic.events.id]

        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }

        # A job has no K_SERVICE, by which the program would choose JSON by itself.
        dynamic "env" {
          for_each = merge(local.environment, { LOG_FORMAT = "json" })
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }
}

resource "google_cloud_run_v2_job_iam_member" "reconcile_starts" {
  count    = local.reconcile
  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_job.reconcile[0].name
  role     = "roles/run.invoker"
  member   = google_service_account.reconcile[0].member
}

resource "google_cloud_scheduler_job" "reconcile" {
  count       = local.reconcile
  project     = var.project
  region      = var.region
  name        = "${var.name}-reconcile"
  description = "Starts the Cloud Run job ${var.name}-reconcile"
  schedule    = var.reconcile_schedule
  time_zone   = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project}/locations/${var.region}/jobs/${google_cloud_run_v2_job.reconcile[0].name}:run"
    oauth_token {
      service_account_email = google_service_account.reconcile[0].email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.reconcile_starts]
}
