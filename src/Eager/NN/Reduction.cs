namespace Fusion.NN;

/// <summary>How a loss joins the values of a batch.</summary>
public enum Reduction
{
    /// <summary>One value per sample or element.</summary>
    None,

    /// <summary>Their mean, of rank 0.</summary>
    Mean,

    /// <summary>Their sum, of rank 0.</summary>
    Sum,
}
