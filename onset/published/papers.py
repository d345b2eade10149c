"""The papers whose figures are held, as ``figures.csv`` names them."""

from __future__ import annotations

WEI = "Wei et al. 2022 (2201.11903)"
WANG = "Wang et al. 2022 (2203.11171)"
COBBE = "Cobbe et al. 2021 (2110.14168)"
COBBE_IN_WANG = "Cobbe et al. 2021, as quoted in Wang et al. 2022"
HUANG = "Huang et al. 2022 LMSI (2210.11610)"
LLAMA = "Minerva numbers as reprinted in LLaMA (2302.13971) Table 7"
CHUNG = "Chung et al. 2022 (2210.11416)"
SUZGUN = "Suzgun et al. 2022 (2210.09261)"
BROWN = "Brown et al. 2020 (2005.14165)"
YU = "Yu et al. 2022 (2209.10063)"
FU = "Fu et al. 2022 (2210.00720)"
SI = "Si et al. 2022 (2210.09150)"
YANG = "Yang et al. 2022 GLUE-X (2211.08073)"
HE = "He et al. 2021 unified PEFT / MAM adapter (2110.04366)"
LI = "Li & Liang 2021 prefix-tuning (2101.00190)"
