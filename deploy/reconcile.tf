# The comparison of both buckets: a job that costs nothing until somebody starts it, so that nobody has to build the program
# when dead letters are there. Only reconcile_schedule makes something that starts it.
locals {
  # One job compares one bucket; the first one's has no number in its name.
  reconciled = { for index, bucket in local.source_buckets : tostring(index + 1) => bucket }
  reconcile = join(" && ", [
    for job in google_cloud_run_v2_job.reconcile : "gcloud run jobs execute ${job.name} --project=${var.project} --region=${var.region}"
  ])
}

moved {
  from = google_cloud_run_v2_job.reconcile[0]
  to   = google_cloud_run_v2_job.reconcile["1"]
}
moved {
  from = google_cloud_run_v2_job_iam_member.reconcile_starts[0]
  to   = google_cloud_run_v2_job_iam_member.reconcile_starts["1"]
}
moved {
  from = google_cloud_scheduler_job.reconcile[0]
  to   = google_cloud_scheduler_job.reconcile["1"]
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
    { for bucket in var.more_source_buckets : "source ${bucket}" => bucket },
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
  for_each = local.reconciled

  project             = var.project
  location            = var.region
  name                = each.key == "1" ? "${var.name}-reconcile" : "${var.name}-reconcile-${each.key}"
  labels              = var.labels
  deletion_protection = false

  dynamic "binary_authorization" {
    for_each = var.binary_authorization[*]
    content {
      use_default = binary_authorization.value == "default" ? true : null
      policy      = binary_authorization.value == "default" ? null : binary_authorization.value
    }
  }

  template {
    task_count = 1

    template {
      encryption_key  = var.kms_key
      service_account = google_service_account.reconcile.email
      # A run that is cut short has still published what it found; the next one finds the rest.
      timeout     = "21600s"
      max_retries = 1

      dynamic "vpc_access" {
        for_each = var.vpc_access[*]
        content {
          egress = vpc_access.value.egress
          network_interfaces {
            network    = vpc_access.value.network
            subnetwork = vpc_access.value.subnetwork
          }
        }
      }

      containers {
        image = var.image
        args  = ["reconcile", each.value, "--topic", google_pubsub_topic.events.id]

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
  for_each = google_cloud_run_v2_job.reconcile

  project  = var.project
  location = var.region
  name     = each.value.name
  role     = "roles/run.invoker"
  member   = google_service_account.reconcile.member
}

resource "google_cloud_scheduler_job" "reconcile" {
  for_each = { for key, job in google_cloud_run_v2_job.reconcile : key => job.name if var.reconcile_schedule != "" }

  project     = var.project
  region      = var.region
  name        = each.value
  description = "Starts the Cloud Run job ${each.value}"
  schedule    = var.reconcile_schedule
  time_zone   = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project}/locations/${var.region}/jobs/${each.value}:run"
    oauth_token {
      service_account_email = google_service_account.reconcile.email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.reconcile_starts]
}
