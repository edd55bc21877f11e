output "service_uri" {
  description = "Address of the service. It answers only callers inside the project that may invoke it."
  value       = google_cloud_run_v2_service.thumbnailer.uri
}

output "source_bucket" {
  description = "Where pictures go."
  value       = "gs://${local.source_bucket}"
}

output "thumbnails" {
  description = "Where thumbnails appear: the folder, or the bucket where renditions have names of their own."
  value       = "gs://${local.target_bucket}/${length(var.renditions) == 0 ? var.thumbnail_prefix : ""}"
}

output "topic" {
  description = "Topic of the events: the --topic of gcs-thumbnailer reconcile."
  value       = google_pubsub_topic.events.id
}

output "dead_letter_subscription" {
  description = "Subscription that holds the events given up after 100 attempts."
  value       = google_pubsub_subscription.dead_letter.id
}

output "result_topic" {
  description = "Topic that tells your app of what was stored and refused: subscribe to it. Empty without result_topic."
  value       = local.results == 0 ? "" : local.result_topic
}

output "revision" {
  description = "Revision that this apply left newest: all traffic goes to it once it is ready."
  value       = basename(google_cloud_run_v2_service.thumbnailer.latest_created_revision)
}

output "sample_folder" {
  description = "A folder whose pictures get thumbnails, from / on: where deploy.sh puts its sample."
  value       = "/${local.outer_folders[0]}"
}

output "reconcile" {
  description = "Command that has every missing and stale thumbnail made."
  value       = local.reconcile
}

output "run_account" {
  description = "Account that the service runs as: for a role on a bucket in another project."
  value       = local.run_account
}

output "push_account" {
  description = "Account that Pub/Sub calls the service as."
  value       = local.push_account
}

output "subscription" {
  description = "Subscription that pushes the events to the service."
  value       = google_pubsub_subscription.push.id
}
