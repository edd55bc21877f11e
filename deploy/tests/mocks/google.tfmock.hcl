# What Google's side would answer. Everything else that is known only after apply is made up by Terraform, a different
# value for each resource, so that a mix-up of two accounts shows.
mock_data "google_project" {
  defaults = {
    number = "123456789012"
  }
}

mock_data "google_storage_project_service_account" {
  defaults = {
    email_address = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
  }
}
