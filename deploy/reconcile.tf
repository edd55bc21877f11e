# The comparison of both buckets: a job that costs nothing until somebody starts it, so that nobody has to build the program
# when dead letters are there. Only reconcile_schedule makes something that starts it.
locals {
  schedules = var.reconcile_schedule == "" ? 0 : 1
  reconcile = "gcloud run jobs execute ${google_cloud_run_v2_job.reconcile.name} --project=${var.project} --region=${var.region}"
}

# It lists both buckets, publishes to the one topic and starts its own job. It can write no object.
resource "google_service_account" "reconcile" {
  project      = var.project
  account_id   = "${var.name}-reconcile"
  display_name = "${var.name}: finds pictures without a current thumbnail"
}

resource "google_storage_bucket_iam_member" "reconcile_lists" {
  for_each = merge(
    { source = local.source_bucket },
    local.shared_bucket ? {} : { target = local.target_bucket },
  )
  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.reconcile.member
}

resource "google_pubsub_topic_iam_member" "reconcile_publishes" {
  project = var.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = google_service_account.reconcile.member
}

resource "google_cloud_run_v2_job" "reconcile" {
  project             = var.project
  location            = var.region
  name                = "${var.name}-reconcile"
  deletion_protection = false

  template {
    task_count = 1

    template {
      service_account = google_service_account.reconcile.email
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
  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_job.reconcile.name
  role     = "roles/run.invoker"
  member   = google_service_account.reconcile.member
}

resource "google_cloud_scheduler_job" "reconcile" {
  count       = local.schedules
  project     = var.project
  region      = var.region
  name        = "${var.name}-reconcile"
  description = "Starts the Cloud Run job ${var.name}-reconcile"
  schedule    = var.reconcile_schedule
  time_zone   = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project}/locations/${var.region}/jobs/${google_cloud_run_v2_job.reconcile.name}:run"
    oauth_token {
      service_account_email = google_service_account.reconcile.email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.reconcile_starts]
}
