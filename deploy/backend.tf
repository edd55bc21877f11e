# The state lives in a bucket, so that a second clone, or a second person, changes the same deployment instead of
# making another. deploy.sh makes the bucket and names it; by hand: terraform init -backend-config=bucket=...
# Terraform ignores this block, with a warning, where the folder is used as a module of something larger.
terraform {
  backend "gcs" {}
}
