//! Accounts, devices, the directory, KeyPackages, phone numbers.
