namespace Fusion;

/// <summary>A function cannot be hybridized, or a compiled result differs from the eager one.</summary>
public class HybridizeException : InvalidOperationException
{
    /// <summary>Creates the exception without a message of its own.</summary>
    public HybridizeException() { }

    /// <summary>Creates the exception with a message.</summary>
    public HybridizeException(string message) : base(message) { }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public HybridizeException(string message, Exception innerException) : base(message, innerException) { }
}
