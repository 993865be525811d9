"""CDISC exports: SDTM TU, TR, RS and RELREC, ADaM ADSL, ADRS, ADTR and ADTTE, as XPT, Dataset-JSON and Define-XML."""
