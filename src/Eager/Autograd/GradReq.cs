namespace Fusion;

/// <summary>What backward does with a gradient buffer.</summary>
public enum GradReq
{
    /// <summary>No gradient is computed.</summary>
    Null,

    /// <summary>The buffer is overwritten; within one backward all paths add up.</summary>
    Write,

    /// <summary>The gradient is added to the buffer.</summary>
    Add,
}

/// <summary>Checks of requests.</summary>
internal static class GradReqs
{
    public static void ThrowIfUndefined(this GradReq gradReq, string operation)
    {
        if (gradReq is not (GradReq.Null or GradReq.Write or GradReq.Add))
            throw new ArgumentOutOfRangeException(nameof(gradReq), gradReq, $"{operation}: the gradReq is GradReq.Null, Write or Add.");
    }
}
