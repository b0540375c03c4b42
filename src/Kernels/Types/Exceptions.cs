namespace Fusion;

/// <summary>Shapes that do not fit the operator; the message names the operator, the shapes and the remedy.</summary>
public class ShapeException : ArgumentException
{
    /// <summary>Creates the exception without a message of its own.</summary>
    public ShapeException() { }

    /// <summary>Creates the exception with a message.</summary>
    public ShapeException(string message) : base(message) { }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public ShapeException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>An element type that the operator does not accept; the message names the operator, the type and the remedy.</summary>
public class DTypeException : ArgumentException
{
    /// <summary>Creates the exception without a message of its own.</summary>
    public DTypeException() { }

    /// <summary>Creates the exception with a message.</summary>
    public DTypeException(string message) : base(message) { }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public DTypeException(string message, Exception innerException) : base(message, innerException) { }
}
