namespace Fusion;

/// <summary>A matrix for which a factorisation does not exist: singular, not positive definite, or with values that are not finite.</summary>
public class LinearAlgebraException : ArithmeticException
{
    /// <summary>Creates the exception without a message of its own.</summary>
    public LinearAlgebraException() { }

    /// <summary>Creates the exception with a message.</summary>
    public LinearAlgebraException(string message) : base(message) { }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public LinearAlgebraException(string message, Exception innerException) : base(message, innerException) { }
}
