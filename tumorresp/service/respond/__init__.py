"""Response criteria on tables, without images: files in, result tables, figures and CDISC data sets out."""
