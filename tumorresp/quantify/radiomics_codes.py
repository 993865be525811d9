"""Which pyradiomics feature is which concept of the Image Biomarker Standardisation Initiative (IBSI).

Only features that give the IBSI consensus value on IBSI's digital phantom are listed (a test repeats that), plus the
three principal axis lengths, which pyradiomics takes from the covariance over n and IBSI over n - 1. Kurtosis is not
listed: pyradiomics' is 3 higher than IBSI's. The codes are those of DICOM PS3.16 (CID 7475 to 7478 and 7500, 7501);
intensity statistics, for which DICOM lists none, carry the codes of the IBSI reference manual, section 3.3.
"""

from tumorresp.domain.terminology import Code

_IBSI: dict[str, dict[str, tuple[str, str]]] = {
    "shape": {
        "MeshVolume": ("RNU0", "Volume of Mesh"),
        "VoxelVolume": ("YEKZ", "Volume from Voxel Summation"),
        "SurfaceArea": ("C0JK", "Surface Area of Mesh"),
        "SurfaceVolumeRatio": ("2PR5", "Surface to Volume Ratio"),
        "Sphericity": ("QCFX", "Sphericity"),
        "Maximum3DDiameter": ("L0JK", "Maximum 3D Diameter of a Mesh"),
        "MajorAxisLength": ("TDIC", "Major Axis in 3D Length"),
        "MinorAxisLength": ("P9VJ", "Minor Axis in 3D Length"),
        "LeastAxisLength": ("7J51", "Least Axis in 3D Length"),
        "Elongation": ("Q3CK", "Elongation"),
        "Flatness": ("N17B", "Flatness"),
    },
    "firstorder": {
        "Mean": ("Q4LE", "Mean"),
        "Variance": ("ECT3", "Variance"),
        "Skewness": ("KE2A", "Skewness"),
        "Median": ("Y12H", "Median"),
        "Minimum": ("1GSF", "Minimum"),
        "10Percentile": ("QG58", "10th Percentile"),
        "90Percentile": ("8DWT", "90th Percentile"),
        "Maximum": ("84IY", "Maximum"),
        "InterquartileRange": ("SALO", "Interquartile Range"),
        "Range": ("2OJQ", "Range"),
        "MeanAbsoluteDeviation": ("4FUA", "Mean Absolute Deviation"),
        "RobustMeanAbsoluteDeviation": ("1128", "Robust Mean Absolute Deviation"),
        "Energy": ("N8CA", "Energy"),
        "RootMeanSquared": ("5ZWQ", "Root Mean Square"),
        "Entropy": ("TLU2", "Intensity Histogram Entropy"),
        "Uniformity": ("BJ5W", "Intensity Histogram Uniformity"),
    },
    "glcm": {
        "Autocorrelation": ("QWB0", "Autocorrelation of GLCM"),
        "ClusterProminence": ("AE86", "Cluster Prominence of GLCM"),
        "ClusterShade": ("7NFM", "Cluster Shade of GLCM"),
        "ClusterTendency": ("DG8W", "Cluster Tendency of GLCM"),
        "Contrast": ("ACUI", "Contrast of GLCM"),
        "Correlation": ("NI2N", "Correlation of GLCM"),
        "DifferenceAverage": ("TF7R", "Difference Average of GLCM"),
        "DifferenceEntropy": ("NTRS", "Difference Entropy of GLCM"),
        "DifferenceVariance": ("D3YU", "Difference Variance of GLCM"),
        "Id": ("IB1Z", "Inverse Difference of GLCM"),
        "Idm": ("WF0Z", "Inverse Difference Moment of GLCM"),
        "Idmn": ("1QCO", "Normalized Inverse Difference Moment of GLCM"),
        "Idn": ("NDRX", "Normalized Inverse Difference of GLCM"),
        "Imc1": ("R8DG", "First Measure of Information Correlation of GLCM"),
        "Imc2": ("JN9H", "Second Measure of Information Correlation of GLCM"),
        "InverseVariance": ("E8JP", "Inverse Variance of GLCM"),
        "JointAverage": ("60VM", "Joint Average of GLCM"),
        "JointEnergy": ("8ZQL", "Angular Second Moment of GLCM"),
        "JointEntropy": ("TU9B", "Joint Entropy of GLCM"),
        "MaximumProbability": ("GYBY", "Joint Maximum of GLCM"),
        "SumAverage": ("ZGXS", "Sum Average of GLCM"),
        "SumEntropy": ("P6QZ", "Sum Entropy of GLCM"),
        "SumSquares": ("UR99", "Joint Variance of GLCM"),
    },
    "glrlm": {
        "ShortRunEmphasis": ("22OV", "Short Runs Emphasis"),
        "LongRunEmphasis": ("W4KF", "Long Runs Emphasis"),
        "LowGrayLevelRunEmphasis": ("V3SW", "Low Gray Level Run Emphasis"),
        "HighGrayLevelRunEmphasis": ("G3QZ", "High Gray Level Run Emphasis"),
        "ShortRunLowGrayLevelEmphasis": ("HTZT", "Short Run Low Gray Level Emphasis"),
        "ShortRunHighGrayLevelEmphasis": ("GD3A", "Short Run High Gray Level Emphasis"),
        "LongRunLowGrayLevelEmphasis": ("IVPO", "Long Run Low Gray Level Emphasis"),
        "LongRunHighGrayLevelEmphasis": ("3KUM", "Long Run High Gray Level Emphasis"),
        "GrayLevelNonUniformity": ("R5YN", "Gray Level Nonuniformity in Runs"),
        "GrayLevelNonUniformityNormalized": ("OVBL", "Normalized Gray Level Nonuniformity in Runs"),
        "RunLengthNonUniformity": ("W92Y", "Run Length Nonuniformity"),
        "RunLengthNonUniformityNormalized": ("IC23", "Normalized Run Length Nonuniformity"),
        "RunPercentage": ("9ZK5", "Run Percentage"),
        "GrayLevelVariance": ("8CE5", "Gray Level Variance in Runs"),
        "RunVariance": ("SXLW", "Run Length Variance"),
        "RunEntropy": ("HJ9O", "Run Entropy"),
    },
    "glszm": {
        "SmallAreaEmphasis": ("5QRC", "Small Zone Emphasis"),
        "LargeAreaEmphasis": ("48P8", "Large Zone Emphasis"),
        "LowGrayLevelZoneEmphasis": ("XMSY", "Low Gray Level Zone Emphasis"),
        "HighGrayLevelZoneEmphasis": ("5GN9", "High Gray Level Zone Emphasis"),
        "SmallAreaLowGrayLevelEmphasis": ("5RAI", "Small Zone Low Gray Level Emphasis"),
        "SmallAreaHighGrayLevelEmphasis": ("HW1V", "Small Zone High Gray Level Emphasis"),
        "LargeAreaLowGrayLevelEmphasis": ("YH51", "Large Zone Low Gray Level Emphasis"),
        "LargeAreaHighGrayLevelEmphasis": ("J17V", "Large Zone High Gray Level Emphasis"),
        "GrayLevelNonUniformity": ("JNSA", "Gray Level Nonuniformity of Size Zone Counts"),
        "GrayLevelNonUniformityNormalized": ("Y1RO", "Normalized Gray Level Nonuniformity of Size Zone Counts"),
        "SizeZoneNonUniformity": ("4JP3", "Zone Size Nonuniformity"),
        "SizeZoneNonUniformityNormalized": ("VB3A", "Normalized Zone Size Nonuniformity"),
        "ZonePercentage": ("P30P", "Size Zone Percentage"),
        "GrayLevelVariance": ("BYLV", "Gray Level Variance in Size Zones"),
        "ZoneVariance": ("3NSA", "Zone Size Variance"),
        "ZoneEntropy": ("GU8N", "Zone Size Entropy"),
    },
    "gldm": {
        "SmallDependenceEmphasis": ("SODN", "Low dependence emphasis"),
        "LargeDependenceEmphasis": ("IMOQ", "High dependence emphasis"),
        "LowGrayLevelEmphasis": ("TL9H", "Low grey level count emphasis"),
        "HighGrayLevelEmphasis": ("OAE7", "High grey level count emphasis"),
        "SmallDependenceLowGrayLevelEmphasis": ("EQ3F", "Low dependence low grey level emphasis"),
        "SmallDependenceHighGrayLevelEmphasis": ("JA6D", "Low dependence high grey level emphasis"),
        "LargeDependenceLowGrayLevelEmphasis": ("NBZI", "High dependence low grey level emphasis"),
        "LargeDependenceHighGrayLevelEmphasis": ("9QMG", "High dependence high grey level emphasis"),
        "GrayLevelNonUniformity": ("FP8K", "Grey level non-uniformity of NGLDM"),
        "DependenceNonUniformity": ("Z87G", "Dependence count non-uniformity"),
        "DependenceNonUniformityNormalized": ("OKJI", "Dependence count non-uniformity normalized"),
        "GrayLevelVariance": ("1PFV", "Grey level variance of NGLDM"),
        "DependenceVariance": ("DNX2", "Dependence count variance"),
        "DependenceEntropy": ("FCBV", "Dependence count entropy"),
    },
    "ngtdm": {
        "Coarseness": ("QCDE", "Coarseness of NGTDM"),
        "Contrast": ("65HE", "Contrast of NGTDM"),
        "Busyness": ("NQ30", "Busyness of NGTDM"),
        "Complexity": ("HDEZ", "Complexity of NGTDM"),
        "Strength": ("1X9X", "Strength of NGTDM"),
    },
}

_LENGTHS = frozenset(
    {
        "Maximum3DDiameter",
        "Maximum2DDiameterSlice",
        "Maximum2DDiameterColumn",
        "Maximum2DDiameterRow",
        "MajorAxisLength",
        "MinorAxisLength",
        "LeastAxisLength",
    }
)
_SHAPE_UNITS = {"MeshVolume": "mm3", "VoxelVolume": "mm3", "SurfaceArea": "mm2", "SurfaceVolumeRatio": "/mm"}
_SQUARED_HU = frozenset({"Variance", "Energy"})
_NO_HU = frozenset({"Skewness", "Kurtosis", "Entropy", "Uniformity"})


def ibsi_code(feature: str) -> Code | None:
    """Return the IBSI concept of a pyradiomics feature (``original_glcm_JointEntropy``); None where there is none.

    Features of filtered images have none: they are the same statistic of another image.
    """
    image, family, name = feature.split("_", 2)
    found = _IBSI.get(family, {}).get(name) if image == "original" else None
    return Code(found[0], "IBSI", found[1]) if found else None


def unit(feature: str) -> str:
    """Return the UCUM unit of a pyradiomics feature."""
    image, family, name = feature.split("_", 2)
    if family == "shape":
        return "mm" if name in _LENGTHS else _SHAPE_UNITS.get(name, "1")
    if family != "firstorder" or image != "original" or name in _NO_HU:
        return "1"
    if name == "TotalEnergy":
        return "mm3.[hnsf'U]2"
    return "[hnsf'U]2" if name in _SQUARED_HU else "[hnsf'U]"
